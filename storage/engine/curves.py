"""The learning curves of completed trials, one behind the other in one array."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.study import StudyDirection

from storage.engine.changes import Floats, Ints
from storage.engine.growing import Growing

COLUMNS: Mapping[str, tuple[type, float]] = {
    "numbers": (np.int64, -1),
    "starts": (np.int64, 0),  # of the curve in `best`
    "lengths": (np.int64, 0),
    "best": (np.float64, np.nan),
}


class Curves:
    """The best value so far by epoch, of each trial that recorded every epoch from the first.

    Trials of other programs, which may count their steps otherwise, have no curve.
    """

    def __init__(self, direction: StudyDirection) -> None:
        self._better = np.fmin if direction == StudyDirection.MINIMIZE else np.fmax
        self._columns = {name: Growing(*kind) for name, kind in COLUMNS.items()}
        self._known: set[int] = set()

    @property
    def numbers(self) -> Ints:
        """The numbers of the trials, in the order in which they were seen to have completed."""
        return self._columns["numbers"].array

    def add(self, numbers: Ints, epochs: Ints, values: Floats) -> None:
        """Add the curves of trials that completed; one that is there stays.

        numbers, epochs, values: [m] in the order of numbers, then epochs.
        """
        trials, starts, lengths = np.unique(numbers, return_index=True, return_counts=True)
        for number, start, length in zip(trials, starts, lengths, strict=True):
            is_whole = epochs[start] == 1 and epochs[start + length - 1] == length
            if is_whole and int(number) not in self._known:
                self._append(int(number), values[start : start + length])

    def best_until(self, epochs: Ints) -> Floats:
        """Return the best value of each curve up to an epoch of its own; NaN for none.

        epochs: [number of curves]; after its last epoch a curve stays at its best.
        """
        starts, lengths, best = (
            self._columns[name].array for name in ("starts", "lengths", "best")
        )
        counted = np.minimum(epochs, lengths)
        places = starts + np.maximum(counted, 1) - 1
        found: Floats = np.where(counted > 0, best[places], np.nan)
        return found

    def packed(self) -> dict[str, NDArray[Any]]:
        """Return the arrays of a snapshot."""
        return {name: column.array for name, column in self._columns.items()}

    def unpack(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take the arrays of a snapshot over."""
        for name, column in self._columns.items():
            column.extend(arrays[name])
        self._known.update(self.numbers.tolist())

    def _append(self, number: int, values: Floats) -> None:
        self._known.add(number)
        added = {
            "starts": [len(self._columns["best"].array)],
            "numbers": [number],
            "lengths": [len(values)],
            "best": self._better.accumulate(values),
        }
        for name, entries in added.items():
            self._columns[name].extend(np.asarray(entries))
