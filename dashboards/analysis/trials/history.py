"""The best value so far by trial number, and a fair choice of the trials around it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from optuna.study import StudyDirection

from dashboards.analysis.snapshot import Snapshot
from storage.live.history import ValueRow, stride_of, value_of
from storage.reader import StoreReader
from storage.rows import WELL, Outcome

MOST_DOTS = 400
MOST_STEPS = 100


@dataclass(frozen=True)
class Step:
    """A trial that was better than every trial of a smaller number.

    at: the moment at which it ended.
    """

    number: int
    value: float
    at: datetime | None = None


@dataclass(frozen=True)
class Dot:
    """One ended trial.

    value: of a finished one, or of a pruned one's last epoch; None where it has none.
    """

    number: int
    outcome: Outcome
    value: float | None


@dataclass(frozen=True)
class History:
    """The trials that ended, in the order of their numbers.

    steps: MOST_STEPS at most; of more, the first and the newest ones.
    dots: MOST_DOTS at most, at equal distances between their numbers.
    """

    steps: Sequence[Step] = ()
    dots: Sequence[Dot] = ()


class HistoryReader:
    """Reads the history of one study; only what has changed since the time before."""

    def __init__(self) -> None:
        self._ended, self._last = -1, History()
        self._ends: dict[int, datetime | None] = {}  # of the steps
        self._stride, self._sample = 0, dict[int, ValueRow]()

    def read(self, store: StoreReader, snapshot: Snapshot) -> History:
        """Read it again if a trial has ended since."""
        if snapshot.ended != self._ended:
            self._last = self._read(store, snapshot)
            self._ended = snapshot.ended
        return self._last

    def _read(self, store: StoreReader, snapshot: Snapshot) -> History:
        name = snapshot.study.name
        arrays = store.arrays(name)
        is_counted = arrays.is_finished & np.isfinite(arrays.values)
        values = np.where(is_counted, arrays.values, np.nan)
        steps = best_steps(values, minimizes=arrays.direction == StudyDirection.MINIMIZE)
        if new := [step.number for step in steps if step.number not in self._ends]:
            self._ends |= {row.number: row.ended_at for row in store.trials_of(name, new)}
        return History(
            steps=[replace(step, at=self._ends.get(step.number)) for step in steps],
            dots=[dot for row in self._values(store, snapshot) if (dot := _dot(row))],
        )

    def _values(self, store: StoreReader, snapshot: Snapshot) -> list[ValueRow]:
        """Return the ends of the trials whose numbers the stride meets, in their order."""
        stride = stride_of(snapshot.total, MOST_DOTS)
        if stride != self._stride:
            read = store.values(snapshot.study.name, MOST_DOTS)
            self._stride, self._sample = stride, {row.number: row for row in read}
        met = [row for row in snapshot.look.ended if row.number % stride == 0]
        self._sample |= {row.number: value for row in met if (value := value_of(row))}
        return [self._sample[number] for number in sorted(self._sample)]


def best_steps(values: NDArray[np.float64], *, minimizes: bool) -> list[Step]:
    """Find the trials that were better than every one before.

    values: by trial number; NaN for a trial that does not count.
    """
    lower = np.where(np.isnan(values), np.inf, values if minimizes else -values)
    before = np.minimum.accumulate(np.concatenate([[np.inf], lower]))[:-1]
    numbers = np.flatnonzero(lower < before).tolist()
    if len(numbers) > MOST_STEPS:
        numbers = numbers[:1] + numbers[1 - MOST_STEPS :]
    return [Step(number, float(values[number])) for number in numbers]


def _dot(row: ValueRow) -> Dot | None:
    """Return the dot of a trial; None where the study measured no value of it."""
    value = row.value if row.value is not None and math.isfinite(row.value) else None
    has_none = row.outcome == Outcome.FINISHED and value is None
    if has_none or row.outcome == Outcome.ENDED_ELSEWHERE:
        return None
    return Dot(row.number, row.outcome, value if row.outcome in WELL else None)
