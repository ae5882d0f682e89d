"""Messages from beside a dashboard, for studies whose workers no `search run` looks after."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from dashboards.analysis.snapshot import Snapshot, at_work, read_snapshot
from search.notify.message import Message
from search.notify.messenger import MESSAGES, Messenger, messenger
from search.notify.watch import Watch
from search.notify.webhook import Webhook
from search.settings import Settings
from spaces.errors import StudyError
from spaces.exits import DONE
from storage.errors import DatabaseUnreachable, UnknownStudy
from storage.reader import StoreReader
from storage.rows import StudyRow
from storage.viewers.opening import open_reader

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
CONNECTIONS = 1


@dataclass
class _Watched:
    watch: Watch
    snapshot: Snapshot


class Studies:
    """Watches each study from the first worker that is seen at it until nobody works on it.

    A study that has ended, was stopped or was left before is no event.
    """

    def __init__(
        self,
        reader: StoreReader,
        tell: Callable[[str, Message], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch the studies of a database.

        tell: called with a study's name and a message; it must not wait.
        clock: returns seconds.
        """
        self._reader, self._tell, self._clock = reader, tell, clock
        self._watched: dict[str, _Watched] = {}

    def look(self) -> None:
        """Look at every study once."""
        try:
            rows = self._reader.studies()
            for name in self._watched.keys() - {row.name for row in rows}:
                del self._watched[name]
            for row in rows:
                self._look_at(row)
        except DatabaseUnreachable:
            for each in self._watched.values():
                each.watch.database_is_away(each.snapshot)

    def _look_at(self, row: StudyRow) -> None:
        if row.stop:
            self._watched.pop(row.name, None)
            return
        try:
            watched = self._watched.get(row.name) or self._begun(row.name)
            if watched is None:
                return
            watched.snapshot = read_snapshot(self._reader, row.name, watched.snapshot)
        except (StudyError, UnknownStudy):  # of another version, or deleted just now
            self._watched.pop(row.name, None)
            return
        snapshot, watch = watched.snapshot, watched.watch
        is_over = snapshot.ended >= snapshot.study.trials
        if is_over:
            watch.ended(snapshot, DONE)
        if is_over and not snapshot.live_workers:
            del self._watched[row.name]
        watch.look(snapshot)

    def _begun(self, name: str) -> _Watched | None:
        """Begin to watch a study that somebody works on."""
        if not at_work(self._reader.workers(name, at_work=True)):
            return None
        watch = Watch(lambda message: self._tell(name, message), self._clock)
        begun = _Watched(watch, read_snapshot(self._reader, name))
        self._watched[name] = begun
        return begun


@contextmanager
def watching_studies(webhook: Webhook, url: str, settings: Settings) -> Iterator[None]:
    """Send the events of every study of a database to an address, from a thread of its own.

    url: of the database; it is only read.
    """
    with open_reader(url, CONNECTIONS) as reader, ExitStack() as messengers:
        messenger_of: dict[str, Messenger] = {}

        def tell(name: str, message: Message) -> None:
            if name not in messenger_of:
                ours = messenger(webhook, settings.study_folder(name) / MESSAGES)
                messenger_of[name] = messengers.enter_context(ours)
            messenger_of[name].tell(message)

        is_over = threading.Event()
        thread = threading.Thread(target=_watch, args=(Studies(reader, tell), is_over))
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()


def _watch(studies: Studies, is_over: threading.Event) -> None:
    while not is_over.wait(LOOK_SECONDS):
        try:
            studies.look()
        except Exception:  # the page is worth more than a message
            log.exception("a look for events failed; the next one follows")
