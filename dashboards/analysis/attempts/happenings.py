"""The events of a study, the newest first: a few facts each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import groupby

from dashboards.analysis.attempts.lanes import DEATHS, How, how
from dashboards.analysis.attempts.ledger import Ledger, Slot, slot_of
from dashboards.analysis.attempts.seldom import Seldom
from dashboards.analysis.snapshot import Snapshot
from spaces.exits import ORDERLY
from storage.live.history import BestStep, add_steps
from storage.live.outages import OutageRow
from storage.reader import StoreReader
from storage.rows import AttemptRow, WorkerRow
from storage.split_uses import UseRow

MOST_HAPPENINGS = 50
TOGETHER = timedelta(seconds=60)  # workers of a host that start or end within it are told as one


class Kind(StrEnum):
    """The kinds of events."""

    BEGAN = "began"  # the study was made
    ENDED = "ended"  # its last trial ended
    BEST = "best"  # a trial finished better than all before it
    FINISHED = "finished"  # another one did
    PRUNED = "pruned"
    FAILED = "failed"
    DIED = "died"  # a worker died in the middle of a trial
    BROKE = "broke"  # a worker ended by an error, with no trial in its hands
    AWAY = "away"  # the database was away
    JOINED = "joined"  # workers
    LEFT = "left"  # workers
    STOP = "stop"  # was asked for
    TEST = "test"  # the test split was opened


QUIET = (Kind.FINISHED, Kind.PRUNED)  # too many to be notable


@dataclass(frozen=True, kw_only=True)
class Happening:
    """One event, with the facts that its kind has; the others are empty.

    number, attempt: the trial, and the attempt that it went on as; 0 where it has not yet.
    value: of a trial.
    slot: of the worker.
    count: of workers, epochs or trials.
    seconds: how long it took.
    reason: one of our words, such as an outcome.
    detail: a line of text from the database, which may hold anything.
    exit_code: of a worker; below 0 for a signal.
    """

    at: datetime
    kind: Kind
    number: int | None = None
    attempt: int = 0
    value: float | None = None
    slot: Slot | None = None
    count: int = 0
    seconds: float = 0.0
    reason: str = ""
    detail: str = ""
    exit_code: int | None = None

    @property
    def is_notable(self) -> bool:
        """Whether it is more than the usual end of a trial."""
        return self.kind not in QUIET


@dataclass(frozen=True)
class Happenings:
    """The newest events, the latest first; at most 50 of each list.

    notable: without the usual ends of trials.
    """

    notable: Sequence[Happening] = ()
    every: Sequence[Happening] = ()


class HappeningsReader:
    """Reads the events; those of trials after the first time only where trials have changed."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._steps: list[BestStep] | None = None
        self._values: dict[int, float | None] = {}  # of the newest ended trials
        self._seldom, self._workers = Seldom(), frozenset[str]()
        self._ended_workers: Sequence[WorkerRow] = ()
        self._stop: Happening | None = None
        self._was_stopped: bool | None = None

    def read(self, store: StoreReader, snapshot: Snapshot) -> Happenings:
        """Read what has changed, and list what happened."""
        attempts = self._ledger.read(store, snapshot)
        self._read_ends(store, snapshot, attempts)
        self._read_workers(store, snapshot)
        ended = self._ended_workers
        found = [
            *of_study(snapshot, attempts),
            *of_trials(attempts, self._steps or [], self._values),
            *of_deaths(attempts, {row.worker: row for row in ended}),
            *of_outages(self._ledger.outages),
            *of_workers([*snapshot.look.workers, *ended], attempts),
            *of_tests(snapshot.look.test_uses),
            *self._of_stop(snapshot),
        ]
        return newest(found)

    def _read_ends(
        self, store: StoreReader, snapshot: Snapshot, attempts: Sequence[AttemptRow]
    ) -> None:
        name, ended = snapshot.study.name, snapshot.look.ended
        if self._steps is None:
            self._steps = store.best_steps(name)
            latest = sorted(
                (row.ended_at, row.number) for row in attempts if row.ended_at is not None
            )
            ended = store.trials_of(name, {number for _, number in latest[-MOST_HAPPENINGS:]})
        else:
            self._steps = add_steps(self._steps, ended, snapshot.look.study.direction)
        self._values |= {trial.number: trial.value for trial in ended}
        self._values = dict(list(self._values.items())[-10 * MOST_HAPPENINGS :])

    def _read_workers(self, store: StoreReader, snapshot: Snapshot) -> None:
        """Read the workers that have ended, at once where one has joined or left."""
        workers = {row.worker for row in snapshot.look.workers}
        if self._seldom.is_due(is_changed=workers != self._workers):
            self._ended_workers = store.recent_workers(snapshot.study.name)
        self._workers = frozenset(workers)

    def _of_stop(self, snapshot: Snapshot) -> Iterator[Happening]:
        """Tell of a stop that was asked for while somebody looked; its moment is not stored."""
        asked = snapshot.look.study.stop
        if asked and self._was_stopped is False:
            at = snapshot.look.read_at or datetime.now(UTC)
            self._stop = Happening(at=at, kind=Kind.STOP, reason=asked)
        self._was_stopped = bool(asked)
        if asked and self._stop:
            yield self._stop


def newest(found: Iterable[Happening]) -> Happenings:
    """Return the newest of these events, the latest first."""
    every = sorted(found, key=lambda each: each.at, reverse=True)
    notable = [each for each in every if each.is_notable]
    return Happenings(notable[:MOST_HAPPENINGS], every[:MOST_HAPPENINGS])


def of_study(snapshot: Snapshot, attempts: Sequence[AttemptRow]) -> Iterator[Happening]:
    """Tell when the study was made, and when its last trial ended."""
    yield Happening(at=snapshot.look.study.created_at, kind=Kind.BEGAN, count=snapshot.study.trials)
    ends = [row.ended_at for row in attempts if row.ended_at]
    if snapshot.ended >= snapshot.study.trials and not snapshot.running and ends:
        yield Happening(at=max(ends), kind=Kind.ENDED, count=snapshot.ended)


def of_trials(
    attempts: Iterable[AttemptRow], steps: Iterable[BestStep], values: Mapping[int, float | None]
) -> Iterator[Happening]:
    """Tell how trials ended.

    steps: the trials that were the best one when they ended.
    values: of trials, by number.
    """
    best = {step.number for step in steps}
    for step in steps:
        yield Happening(at=step.ended_at, kind=Kind.BEST, number=step.number, value=step.value)
    for row in attempts:
        kind = {
            How.FINISHED: Kind.FINISHED,
            How.PRUNED: Kind.PRUNED,
            How.FAILED: Kind.FAILED,
        }.get(how(row))
        if kind and row.ended_at and not (kind == Kind.FINISHED and row.number in best):
            yield Happening(
                at=row.ended_at,
                kind=kind,
                number=row.number,
                value=values.get(row.number),
                reason=str(row.reason),
                detail=row.detail or "",
            )


def of_deaths(attempts: Sequence[AttemptRow], ends: Mapping[str, WorkerRow]) -> Iterator[Happening]:
    """Tell which workers died in the middle of a trial, and whether it went on.

    ends: the workers that have ended, by name.
    """
    known = {(row.number, row.attempt) for row in attempts}
    for row in attempts:
        if row.reason in DEATHS and row.ended_at:
            goes_on, end = (row.number, row.attempt + 1) in known, ends.get(row.worker)
            yield Happening(
                at=row.ended_at,
                kind=Kind.DIED,
                number=row.number,
                attempt=row.attempt + 1 if goes_on else 0,
                slot=slot_of(row),
                reason=str(row.reason),
                detail=row.detail or (end and end.reason) or "",
                exit_code=end.exit_code if end else None,
            )


def of_outages(outages: Iterable[OutageRow]) -> Iterator[Happening]:
    """Tell when the database was away; workers that missed it at the same time are told as one."""
    group: list[OutageRow] = []
    for outage in sorted(outages, key=lambda each: each.began_at):
        if group and outage.began_at > max(each.ended_at for each in group):
            yield _outage(group)
            group = []
        group.append(outage)
    if group:
        yield _outage(group)


def _outage(group: Sequence[OutageRow]) -> Happening:
    begin, end = group[0].began_at, max(each.ended_at for each in group)
    return Happening(
        at=end,
        kind=Kind.AWAY,
        seconds=(end - begin).total_seconds(),
        count=sum(each.epochs for each in group),
    )


def of_workers(workers: Iterable[WorkerRow], attempts: Iterable[AttemptRow]) -> Iterator[Happening]:
    """Tell which workers joined and left, host by host; deaths in a trial are told with it."""
    died = {row.worker for row in attempts if row.reason in DEATHS}
    known = {row.worker: row for row in workers}.values()
    replaced = _replaced(known)
    joins = [(row.started_at, row) for row in known if row.worker not in replaced]
    ends = [(row.ended_at, row) for row in known if row.ended_at and row.worker not in died]
    broke = {row.worker for _, row in ends if row.exit_code not in ORDERLY}
    yield from _together(Kind.JOINED, joins)
    yield from _together(Kind.LEFT, [(at, row) for at, row in ends if row.worker not in broke])
    for at, row in ends:
        if row.worker in broke:
            yield Happening(
                at=at,
                kind=Kind.BROKE,
                slot=slot_of(row),
                detail=row.reason or "",
                exit_code=row.exit_code,
            )


def _replaced(workers: Iterable[WorkerRow]) -> set[str]:
    """Find the workers that took the place of one that ended shortly before: no news."""
    ends: dict[Slot, list[datetime]] = {}
    for row in workers:
        if row.ended_at:
            ends.setdefault(slot_of(row), []).append(row.ended_at)
    return {
        row.worker
        for row in workers
        if any(
            timedelta(0) <= row.started_at - end <= 5 * TOGETHER
            for end in ends.get(slot_of(row), ())
        )
    }


def _together(kind: Kind, rows: Iterable[tuple[datetime, WorkerRow]]) -> Iterator[Happening]:
    def host(pair: tuple[datetime, WorkerRow]) -> str:
        return pair[1].host

    for _, same in groupby(sorted(rows, key=lambda pair: (host(pair), pair[0])), host):
        group: list[tuple[datetime, WorkerRow]] = []
        for at, row in same:
            if group and at - group[0][0] > TOGETHER:
                yield _joint(kind, group)
                group = []
            group.append((at, row))
        yield _joint(kind, group)


def _joint(kind: Kind, group: Sequence[tuple[datetime, WorkerRow]]) -> Happening:
    at, row = group[-1]
    slot = slot_of(row)
    return Happening(at=at, kind=kind, slot=slot, count=len(group), detail=row.reason or "")


def of_tests(uses: Iterable[UseRow]) -> Iterator[Happening]:
    """Tell when the test split was opened."""
    for use in uses:
        yield Happening(at=use.used_at, kind=Kind.TEST, reason=use.purpose, detail=use.used_by)
