"""Deliver messages beside the run, each until it is taken, refused, or too old."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

from objectives.files.whole import write_text_whole
from search.notify.delivery import NotDelivered, deliver
from search.notify.message import Message
from search.notify.webhook import Webhook
from storage.locks import FileLock, wait_until

log = logging.getLogger(__name__)

PAUSES_SECONDS = (1, 2, 4, 8, 16, 32, 60, 60)  # between the tries of one message: three minutes
LAST_PAUSE_SECONDS = 0.5  # between tries when the run has ended
END_SECONDS = 5.0  # the end of a run waits so long for the receiver
KEPT_IDS = 500
LOCK_SECONDS = 30.0  # longer than one delivery takes; then it is sent all the same
MESSAGES = "messages.json"  # in a study's folder: the ids of its delivered messages


class Messenger:
    """Delivers messages in a thread of its own, one after the other."""

    def __init__(self, webhook: Webhook, folder_of: Callable[[str], Path]) -> None:
        """Start without a message.

        folder_of: returns a study's folder, which holds the ids of its delivered messages.
        """
        self._webhook, self._folder_of = webhook, folder_of
        self._waiting: SimpleQueue[Message] = SimpleQueue()
        self._left = 0
        self._ends_at: float | None = None
        self._changed = threading.Condition()
        threading.Thread(target=self._work, name="messages", daemon=True).start()

    def tell(self, message: Message) -> None:
        """Deliver a message, unless a process of this home has; return at once."""
        with self._changed:
            self._left += 1
        self._waiting.put(message)

    def close(self) -> None:
        """Wait for the last deliveries, a few seconds at most."""
        with self._changed:
            self._ends_at = time.monotonic() + END_SECONDS
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self._left == 0, END_SECONDS):
                log.warning("%d messages to %s were not delivered", self._left, self._webhook.host)

    def _work(self) -> None:
        while True:
            try:
                self._deliver(self._waiting.get())
            except Exception:  # the next message may have no such fault
                log.exception("a message is given up")
            with self._changed:
                self._left -= 1
                self._changed.notify_all()

    def _deliver(self, message: Message) -> None:
        host = self._webhook.host
        for pause in [*PAUSES_SECONDS, None]:
            try:
                with self._delivered(message) as delivered:
                    if message.id not in delivered:
                        deliver(self._webhook, message.body())
                        log.info("message %s delivered to %s", message.event, host)
                        delivered.append(message.id)
                return
            except NotDelivered as error:
                given_up = error.is_final or pause is None
                does = f"{message.event} {'is given up' if given_up else 'is tried again'}"
                log.warning("message %s: %s: %s", does, host, error)
                if given_up or pause is None or not self._has_time_after(pause):
                    return

    def _has_time_after(self, seconds: float) -> bool:
        """Wait, less where the run has ended; False when the end of the run is over as well."""
        with self._changed:
            self._changed.wait_for(lambda: self._ends_at is not None, seconds)
        if self._ends_at is None:
            return True
        time.sleep(LAST_PAUSE_SECONDS)
        return time.monotonic() < self._ends_at

    @contextmanager
    def _delivered(self, message: Message) -> Iterator[list[str]]:
        """Yield the ids of the study's delivered messages, to add one to; no other process may."""
        folder = self._folder_of(message.snapshot.study.name)
        file = folder / MESSAGES
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(folder / f"{MESSAGES}.lock")
        except OSError as error:
            log.warning("%s: this message may be sent again: %s", file, error)
            yield []
            return
        with lock:
            wait_until(lock.try_exclusive, LOCK_SECONDS)
            before = _read(file)
            ids = [*before]
            yield ids
            if ids != before:
                self._keep(file, ids)

    def _keep(self, file: Path, ids: list[str]) -> None:
        try:
            write_text_whole(file, json.dumps(ids[-KEPT_IDS:]))
        except OSError as error:
            log.warning("%s: this message may be sent again: %s", file, error)


@contextmanager
def messenger(webhook: Webhook, folder_of: Callable[[str], Path]) -> Iterator[Messenger]:
    """Yield a messenger, and give it a few seconds at the end.

    folder_of: returns a study's folder.
    """
    ours = Messenger(webhook, folder_of)
    try:
        yield ours
    finally:
        ours.close()


def _read(file: Path) -> list[str]:
    try:
        ids = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return list(map(str, ids)) if isinstance(ids, list) else []
