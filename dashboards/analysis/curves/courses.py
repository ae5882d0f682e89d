"""The learning curves of a study: running ones, the best, and what they are compared with."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from dashboards.analysis.curves.course import (
    Band,
    Course,
    Floats,
    at_shares,
    bands,
    course_of,
    has_curve,
)
from dashboards.analysis.curves.limits import Limit, LimitReader
from dashboards.analysis.snapshot import Snapshot
from objectives.contract import BALANCED_ACCURACY, MACRO_AUC, RULER, TRAIN_LOSS
from storage.live.history import stride_of
from storage.reader import StoreReader
from storage.rows import EpochRow, Outcome, TrialRow

MOST_RUNNING, MOST_BEST, MOST_ASKED = 6, 5, 24
MOST_SAMPLED = 100  # finished trials in the middle half
MOST_ENDS = 400  # of trials, among which the finished ones are found at first
MOST_READ = 200  # epochs of one trial
FIRST_METRICS = (RULER, BALANCED_ACCURACY, MACRO_AUC, TRAIN_LOSS)


@dataclass(frozen=True, kw_only=True)
class Courses:
    """The learning curves that a page draws, at most 12 with those that were asked for beside them.

    metrics: the recorded ones: the study's own first.
    running: those with a live lease first.
    best: best first.
    asked: by number, whatever became of them.
    bands: the middle half of finished trials, of each metric.
    sampled: how many finished trials are in the bands.
    limit: the dashed line.
    """

    metrics: Sequence[str] = ()
    running: Sequence[Course] = ()
    best: Sequence[Course] = ()
    asked: Mapping[int, Course] = field(default_factory=dict)
    bands: Mapping[str, Band] = field(default_factory=dict)
    sampled: int = 0
    limit: Limit = field(default_factory=Limit)


class CoursesReader:
    """Reads a study's curves; the epochs of an ended trial once, of a running one as they come."""

    def __init__(self) -> None:
        self._asked: tuple[int, ...] = ()  # replaced as a whole: another thread asks
        self._rows: dict[int, list[EpochRow]] = {}  # of running trials
        self._places: dict[int, int] = {}  # of running trials
        self._ended: dict[int, Course] = {}
        self._sample = _Sample()
        self._limit = LimitReader()
        self._is_first = True

    def ask(self, number: int) -> None:
        """Read the curve of this trial too from now on; the oldest of many is let go."""
        others = (each for each in self._asked if each != number)
        self._asked = (*others, number)[-MOST_ASKED:]

    def read(self, store: StoreReader, snapshot: Snapshot) -> Courses:
        """Read what is new of the curves."""
        asked = self._asked
        running = sorted(snapshot.running, key=lambda trial: not trial.is_leased)[:MOST_RUNNING]
        ran = self._read_running(store, snapshot, running, asked)
        best = snapshot.look.ranking[:MOST_BEST]
        self._read_ended(store, snapshot, {trial.number for trial in best} | {*asked})
        is_new = self._is_first or bool(snapshot.look.ended)
        if is_new:
            self._sample.read(store, snapshot, is_first=self._is_first)
        limit = self._limit.read(store, snapshot, running=running, best=best, is_new=is_new)
        self._is_first = False
        known = self._ended | ran
        return Courses(
            metrics=_ordered([*known.values()], snapshot.study.metric),
            running=[ran[trial.number] for trial in running],
            best=[known[trial.number] for trial in best],
            asked={number: known[number] for number in asked if number in known},
            bands=self._sample.bands,
            sampled=len(self._sample.curves),
            limit=limit,
        )

    def _read_running(
        self,
        store: StoreReader,
        snapshot: Snapshot,
        running: Sequence[TrialRow],
        asked: Sequence[int],
    ) -> dict[int, Course]:
        """Read the new epochs of the running trials, in no statement where there are none."""
        shown = {trial.number for trial in running}
        others = [trial for trial in snapshot.running if trial.number in asked]
        trials = [*running, *(trial for trial in others if trial.number not in shown)]
        self._rows = {trial.number: self._kept(trial) for trial in trials}
        self._places = _placed(self._places, [trial.number for trial in running])
        behind = [trial for trial in trials if trial.last and self._known(trial) < trial.last.epoch]
        long = [trial.number for trial in behind if trial.last and trial.last.epoch > MOST_READ]
        new = [number for number in long if not self._rows[number]]
        for row in store.sampled_epochs(snapshot.study.name, new, MOST_READ) if new else ():
            self._rows[row.number].append(row)
        known = {trial.number: self._known(trial) for trial in behind if trial.number not in new}
        for row in store.epochs_after(snapshot.study.name, known) if known else ():
            self._rows[row.number].append(row)
        return {
            trial.number: _course(
                snapshot, trial, self._rows[trial.number], self._places.get(trial.number, 0)
            )
            for trial in trials
        }

    def _kept(self, trial: TrialRow) -> list[EpochRow]:
        """Return the known epochs; none where another attempt may have replaced some of them."""
        rows = self._rows.get(trial.number, [])
        is_same = bool(rows and trial.last and trial.last.attempt == rows[-1].attempt)
        return rows if is_same else []

    def _known(self, trial: TrialRow) -> int:
        rows = self._rows[trial.number]
        return rows[-1].epoch if rows else 0

    def _read_ended(self, store: StoreReader, snapshot: Snapshot, wanted: Set[int]) -> None:
        """Read the trials of these numbers that have ended, unless they are known."""
        wanted = wanted - {trial.number for trial in snapshot.running}
        self._ended = {each: self._ended[each] for each in wanted if each in self._ended}
        if missing := wanted - self._ended.keys():
            trials = [
                each for each in store.trials_of(snapshot.study.name, missing) if each.outcome
            ]
            self._ended |= _read_courses(store, snapshot, trials)


class _Sample:
    """Finished trials, evenly chosen by their numbers: those that a power of two divides."""

    def __init__(self) -> None:
        self.curves: dict[int, Mapping[str, Floats]] = {}
        self.bands: Mapping[str, Band] = {}
        self._stride = 1

    def read(self, store: StoreReader, snapshot: Snapshot, *, is_first: bool) -> None:
        """Add the trials that have finished since."""
        name = snapshot.study.name
        rows = store.values(name, MOST_ENDS) if is_first else snapshot.look.ended
        finished = [row.number for row in rows if row.outcome == Outcome.FINISHED]
        if is_first:
            self._stride = stride_of(snapshot.total, MOST_ENDS)
        chosen = [number for number in finished if number % self._stride == 0]
        while len(self.curves.keys() | chosen) > MOST_SAMPLED:
            self._stride *= 2
            chosen = [number for number in chosen if number % self._stride == 0]
            self.curves = {n: curve for n, curve in self.curves.items() if n % self._stride == 0}
        if new := set(chosen) - self.curves.keys():
            courses = _read_courses(store, snapshot, store.trials_of(name, new))
            self.curves |= {number: at_shares(course) for number, course in courses.items()}
            self.bands = bands(self.curves.values())


def _read_courses(
    store: StoreReader, snapshot: Snapshot, trials: Sequence[TrialRow]
) -> dict[int, Course]:
    rows: dict[int, list[EpochRow]] = {trial.number: [] for trial in trials}
    for row in store.sampled_epochs(snapshot.study.name, rows, MOST_READ):
        rows[row.number].append(row)
    return {trial.number: _course(snapshot, trial, rows[trial.number]) for trial in trials}


def _course(
    snapshot: Snapshot, trial: TrialRow, rows: Sequence[EpochRow], place: int = 0
) -> Course:
    planned = snapshot.planned_epochs(trial)
    return course_of(trial, rows, planned, folds=snapshot.study.folds, place=place)


def _placed(before: Mapping[int, int], numbers: Sequence[int]) -> dict[int, int]:
    """Assign every running trial a place of its own; those that had one keep it."""
    kept = {number: before[number] for number in numbers if number in before}
    free = iter(sorted(set(range(len(numbers))) - set(kept.values())))
    return {number: kept[number] if number in kept else next(free) for number in numbers}


def _ordered(courses: Iterable[Course], own: str) -> list[str]:
    """Order the recorded metrics: the study's own, those that most ask for, the others by name."""
    recorded = {name for course in courses for name in course.values if has_curve(name)}
    first = [name for name in dict.fromkeys((own, *FIRST_METRICS)) if name in recorded]
    return [*first, *sorted(recorded.difference(first))]
