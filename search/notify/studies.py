"""Messages of a dashboard, for studies whose workers no `search run` looks after."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dashboards.analysis.snapshot import Snapshot, read_snapshot
from search.errors import NO_STEP
from search.notify.message import Message
from search.notify.messenger import messenger
from search.notify.watch import Watch
from search.notify.webhook import Webhook
from search.settings import Settings
from spaces.exits import DONE, DRAINED, KILLED
from storage.connections import OF_ITS_MESSAGES
from storage.errors import DatabaseUnreachable
from storage.reader import StoreReader
from storage.rows import StudyRow
from storage.viewers.opening import open_reader

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
NEWEST_ENDS = 50
END_SECONDS = 2.0


@dataclass
class _Watched:
    """A study that is watched.

    workers: the names of those that lived at the latest look that found one.
    """

    watch: Watch
    snapshot: Snapshot
    workers: frozenset[str] = frozenset()


class StudiesWatch:
    """Watches each study from its first living worker on, until it has ended or was stopped.

    Without an end or a stop it is watched on after its last worker, unless somebody ended that.
    """

    def __init__(
        self,
        reader: StoreReader,
        tell: Callable[[Message], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch the studies of a database.

        tell: called with each message, once; it must not wait.
        clock: returns seconds.
        """
        self._reader, self._tell, self._clock = reader, tell, clock
        self._watched: dict[str, _Watched] = {}
        self._faults: dict[str, str] = {}  # by study: why its latest look failed

    def look(self) -> None:
        """Look at every study once; DatabaseUnreachable is an event, and nothing else an error."""
        try:
            rows = {row.name: row for row in self._reader.studies()}
            begun = self._watched.keys() | self._reader.studies_at_work()
            for name in self._watched.keys() - rows.keys():
                del self._watched[name]
            for name in sorted(begun & rows.keys()):
                self._try(rows[name])
        except DatabaseUnreachable:
            for each in self._watched.values():
                each.watch.database_is_away(each.snapshot)

    def _try(self, row: StudyRow) -> None:
        """Look at a study; log an error that is another than at the look before."""
        try:
            self._look_at(row)
        except DatabaseUnreachable:
            raise
        except Exception as error:  # noqa: BLE001 - the other studies have events, too
            fault = f"{type(error).__name__}: {error}"
            if self._faults.get(row.name) != fault:
                log.warning("no event of %s is seen: %s", row.name, fault)
            self._faults[row.name] = fault
        else:
            self._faults.pop(row.name, None)

    def _look_at(self, row: StudyRow) -> None:
        watched = self._watched.get(row.name)
        snapshot = read_snapshot(self._reader, row.name, watched.snapshot if watched else None)
        if watched is None:
            if row.stop or not _living(snapshot):
                return
            watched = _Watched(Watch(self._tell, self._clock), snapshot)
            self._watched[row.name] = watched
        watched.snapshot = snapshot
        living = _living(snapshot)
        watched.workers = living or watched.workers
        is_over = snapshot.ended >= snapshot.study.trials
        if is_over:
            watched.watch.ended(snapshot, DONE)
        is_left = not living and (is_over or self._were_ended(row.name, watched.workers))
        if row.stop or is_left:
            del self._watched[row.name]
        else:
            watched.watch.look(snapshot)

    def _were_ended(self, study: str, names: frozenset[str]) -> bool:
        """Tell whether somebody asked workers to end, and no engine starts them again."""
        rows = self._reader.recent_workers(study, NEWEST_ENDS)
        asked = {row.worker for row in rows if row.exit_code in (DRAINED, KILLED)}
        again = {row.worker for row in rows if row.reason == NO_STEP or row.machine.get("engine")}
        return names <= asked - again


def _living(snapshot: Snapshot) -> frozenset[str]:
    """Return the names of the workers at work; one that was killed is overdue after its lease."""
    return frozenset(each.worker for each in snapshot.live_workers if not each.is_overdue)


@contextmanager
def watching_studies(webhook: Webhook, url: str, settings: Settings) -> Iterator[None]:
    """Send the events of every study of a database to an address, from a thread of its own.

    url: of the database; it is only read.
    """
    is_over = threading.Event()
    with (
        open_reader(url, OF_ITS_MESSAGES) as reader,
        messenger(webhook, settings.study_folder) as ours,
    ):
        studies = StudiesWatch(reader, ours.tell)
        thread = threading.Thread(
            target=_watch, args=(studies, is_over), name="events", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join(END_SECONDS)  # a database that hangs keeps it


def _watch(studies: StudiesWatch, is_over: threading.Event) -> None:
    fault = ""
    while not is_over.wait(LOOK_SECONDS):
        try:
            studies.look()
            fault = ""
        except Exception as error:  # noqa: BLE001 - the page is worth more than its messages
            before, fault = fault, f"{type(error).__name__}: {error}"
            if fault != before:
                log.warning("no event is seen: %s", fault)
