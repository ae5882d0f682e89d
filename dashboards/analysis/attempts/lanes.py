"""The attempts on a time axis, one lane for each place of a worker."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from operator import attrgetter

from dashboards.analysis.attempts.ledger import MOST_ATTEMPTS, Ledger, Slot, slot_of
from dashboards.analysis.remembered import Remembered
from dashboards.analysis.snapshot import Snapshot
from storage.live.outages import OutageRow
from storage.reader import StoreReader
from storage.rows import AttemptRow, HandBackReason, Outcome

MOST_LANES = 24  # on an overview
STEPS = 400  # in which the end of the time axis moves on: not at every look
LEAST_STEP = 10  # seconds
FOREVER = datetime.max.replace(tzinfo=UTC)


class How(StrEnum):
    """How an attempt stands."""

    RUNNING = "running"
    FINISHED = "finished"
    PRUNED = "pruned"
    FAILED = "failed"
    KILLED = "killed"  # its process died; its trial goes on, or was given up
    HANDED_BACK = "handed back"  # on request; its trial goes on
    SILENT = "silent"  # its lease ran out; its trial waits for the next attempt


# The words of attempts and of trials that were given up are the same: killed, stalled, CUDA error.
DEATHS = {
    HandBackReason.KILLED,
    HandBackReason.STALLED,
    HandBackReason.CUDA_ERROR,
    HandBackReason.DEVICE_LOST,
    HandBackReason.ORPHANED,
    HandBackReason.LOST,
}
HANDED_BACK = set(HandBackReason) - DEATHS


@dataclass(frozen=True, kw_only=True)
class Box:
    """One attempt in its lane.

    end: None while it runs; of a silent one its last beat.
    row: among those of the lane, from 0, where attempts overlap.
    """

    number: int
    attempt: int
    begin: datetime
    end: datetime | None
    how: How
    is_best: bool = False
    row: int = 0


@dataclass(frozen=True)
class Span:
    """A time in which the database was away."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True)
class Lane:
    """The attempts of one place.

    rows: how many attempts overlap at most.
    places: how many places the lane stands for; of several, the slot names the host alone.
    """

    slot: Slot
    boxes: Sequence[Box]
    outages: Sequence[Span] = ()
    rows: int = 1
    places: int = 1


@dataclass(frozen=True, kw_only=True)
class Lanes:
    """The newest attempts of a study, at most 300.

    lanes: by host and place.
    is_all: whether there are no older ones.
    until: the end of the time axis; None without any attempt.
    """

    lanes: Sequence[Lane] = ()
    is_all: bool = True
    until: datetime | None = None

    @property
    def boxes(self) -> list[Box]:
        """The attempts of all lanes."""
        return [box for lane in self.lanes for box in lane.boxes]

    @property
    def begin(self) -> datetime | None:
        """The begin of the first attempt shown; None without any."""
        return min((box.begin for box in self.boxes), default=None)

    @property
    def end(self) -> datetime | None:
        """The last begin or end of an attempt shown; None without any."""
        return max((box.end or box.begin for box in self.boxes), default=None)

    @property
    def is_running(self) -> bool:
        """Whether an attempt runs."""
        return any(box.end is None for box in self.boxes)


class LanesReader:
    """Reads the newest attempts and outages; parts that need attempts too share its ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._lanes = ledger, Remembered(_lanes)

    def read(self, store: StoreReader, snapshot: Snapshot) -> Lanes:
        """Read what has changed."""
        attempts = self._ledger.read(store, snapshot)
        silent = {trial.number for trial in snapshot.running if not trial.is_leased}
        best = snapshot.best.number if snapshot.best else None
        lanes = self._lanes(attempts, self._ledger.outages, silent, best)
        return replace(lanes, until=_axis_end(lanes, snapshot.look.read_at or datetime.now(UTC)))


def _lanes(
    attempts: Sequence[AttemptRow],
    outages: Sequence[OutageRow],
    silent: Collection[int],
    best: int | None,
) -> Lanes:
    lanes = lanes_of(attempts, outages, silent=silent, best=best)
    return Lanes(lanes=lanes, is_all=len(attempts) < MOST_ATTEMPTS)


def _axis_end(lanes: Lanes, now: datetime) -> datetime | None:
    """Return the end of the attempts; while one runs a round moment, now or later."""
    if lanes.begin is None or not lanes.is_running:
        return lanes.end
    step = max(LEAST_STEP, (now - lanes.begin).total_seconds() / STEPS)
    step = 10 ** len(str(int(step))) / 2 if step > LEAST_STEP else LEAST_STEP
    return datetime.fromtimestamp(-(-now.timestamp() // step) * step, UTC)


def lanes_of(
    attempts: Iterable[AttemptRow],
    outages: Iterable[OutageRow],
    *,
    silent: Collection[int] = (),
    best: int | None = None,
) -> list[Lane]:
    """Sort attempts and outages into the lanes of their places, by host and place.

    silent: the running trials that no worker holds.
    best: the number of the best trial.
    """
    boxes: dict[Slot, list[Box]] = {}
    of_worker: dict[str, Slot] = {}
    for row in attempts:
        slot = slot_of(row)
        of_worker[row.worker] = slot
        is_silent = row.ended_at is None and row.number in silent
        boxes.setdefault(slot, []).append(_box(row, is_silent, is_best=row.number == best))
    away: dict[Slot, list[Span]] = {}
    for outage in outages:
        if outage.worker in of_worker:
            spans = away.setdefault(of_worker[outage.worker], [])
            spans.append(Span(outage.began_at, outage.ended_at))
    return [_lane(slot, boxes[slot], away.get(slot, [])) for slot in sorted(boxes)]


def by_host(lanes: Iterable[Lane]) -> list[Lane]:
    """Put the lanes of each host into one."""
    of_host: dict[str, list[Lane]] = {}
    for lane in lanes:
        of_host.setdefault(lane.slot.host, []).append(lane)
    return [
        _lane(
            Slot(host=host),
            [box for lane in some for box in lane.boxes],
            [span for lane in some for span in lane.outages],
            places=len(some),
        )
        for host, some in of_host.items()
    ]


def how(row: AttemptRow) -> How:
    """Say how an attempt stands."""
    if row.reason is None:
        return How.RUNNING
    if row.reason in DEATHS:
        return How.KILLED
    if row.reason in HANDED_BACK:
        return How.HANDED_BACK
    return {Outcome.FINISHED: How.FINISHED, Outcome.PRUNED: How.PRUNED}.get(
        Outcome(row.reason), How.FAILED
    )


def _box(row: AttemptRow, is_silent: bool, *, is_best: bool) -> Box:
    way = How.SILENT if is_silent else how(row)
    return Box(
        number=row.number,
        attempt=row.attempt,
        begin=row.started_at,
        end=row.beat_at if is_silent else row.ended_at,
        how=way,
        is_best=is_best and way == How.FINISHED,
    )


def _lane(slot: Slot, boxes: Iterable[Box], outages: Iterable[Span], places: int = 1) -> Lane:
    placed, rows = _in_rows(boxes)
    spans = sorted(set(outages), key=attrgetter("begin"))
    return Lane(slot=slot, boxes=placed, outages=spans, rows=rows, places=places)


def _in_rows(boxes: Iterable[Box]) -> tuple[list[Box], int]:
    """Put boxes that overlap into rows of their own; return them with the number of rows."""
    ends: list[datetime] = []
    placed = []
    for box in sorted(boxes, key=attrgetter("begin", "number", "attempt")):
        free = next((row for row, end in enumerate(ends) if end <= box.begin), len(ends))
        ends[free : free + 1] = [box.end or FOREVER]
        placed.append(replace(box, row=free))
    return placed, max(1, len(ends))
