"""The newest attempts at a study's trials, and the worker slots they were made in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboards.analysis.attempts.seldom import Seldom
from dashboards.analysis.snapshot import Snapshot
from storage.live.outages import OutageRow
from storage.reader import StoreReader
from storage.rows import AttemptRow, WorkerRow

MOST_ATTEMPTS = 300
NAME_PARTS = 3  # of a worker: host, place, random digits
LARGEST_PLACE = 512  # a larger number is that of a process, which changes with every start

Seen = Mapping[int, tuple[int, bool]]  # a running trial's attempts, and whether it is leased


@dataclass(frozen=True, order=True, kw_only=True)
class Slot:
    """The place of one worker after the other: a host, and the number that it gave the place.

    device: "cuda" or "cpu"; "" where it stands for all places of a host.
    place: from 1; 0 for a worker that was started without a supervisor.
    gpu: its number or UUID, as CUDA_VISIBLE_DEVICES spells it; "" for a CPU.
    """

    host: str
    device: str = ""
    place: int = 0
    gpu: str = ""


def slot_of(row: AttemptRow | WorkerRow) -> Slot:
    """Return the place of a worker; its number is in the name, which a supervisor makes.

    The name is `HOST-PLACE-DIGITS`.
    """
    parts = row.worker.removeprefix(row.host).split("-")
    number = parts[1] if len(parts) == NAME_PARTS and not parts[0] else ""
    is_place = number.isdecimal() and 0 < int(number) <= LARGEST_PLACE
    return Slot(
        host=row.host,
        device=row.device,
        place=int(number) if is_place else 0,
        gpu=str(row.machine.get("gpu", "")),
    )


class Ledger:
    """Keeps the attempts that were begun last; each time it reads those that have changed.

    outages: the newest times without the database, the latest end first; some seconds old.
    """

    def __init__(self) -> None:
        self.outages: Sequence[OutageRow] = ()
        self._seldom = Seldom()
        self._attempts: dict[tuple[int, int], AttemptRow] = {}
        self._rows: Sequence[AttemptRow] = ()
        self._seen: Seen | None = None
        self._of: Snapshot | None = None

    def read(self, store: StoreReader, snapshot: Snapshot) -> Sequence[AttemptRow]:
        """Return at most 300 attempts, in the order of their begins; parts may share a ledger."""
        if self._of is not snapshot:
            seen = {each.number: (each.attempts, each.is_leased) for each in snapshot.running}
            if changed := self._changed(store, snapshot, seen):
                self._add(changed)
            self._seen = seen  # not before: a reading that failed is made up for by the next one
            if self._seldom.is_due():
                self.outages = store.outages(snapshot.study.name)
            self._of = snapshot
        return self._rows

    def _changed(self, store: StoreReader, snapshot: Snapshot, seen: Seen) -> Sequence[AttemptRow]:
        name, before = snapshot.study.name, self._seen
        if before is None:
            return store.newest_attempts(name, MOST_ATTEMPTS)
        changed = {number for number, state in seen.items() if before.get(number) != state}
        changed |= {trial.number for trial in snapshot.look.ended} | (before.keys() - seen)
        return store.attempts_of(name, changed) if changed else ()

    def _add(self, rows: Sequence[AttemptRow]) -> None:
        known = self._attempts | {(row.number, row.attempt): row for row in rows}
        newest = sorted(known.items(), key=lambda item: (item[1].started_at, item[0]))
        self._attempts = dict(newest[-MOST_ATTEMPTS:])
        self._rows = list(self._attempts.values())
