"""A study's trials as arrays in a process's memory, kept up to date by what is new.

Samplers and pruners look at all trials at every draw and every epoch. The first look reads the
study, or a snapshot of it and what is newer; every later one reads what has changed, in one
statement (storage/engine/changes.py).
"""

import time
from collections.abc import Container, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import Connection, text

from storage.engine import snapshots
from storage.engine.changes import Changes, Floats, Known, read_changes
from storage.engine.curves import Curves
from storage.engine.drawn import Drawn
from storage.engine.frozen import external
from storage.engine.growing import Growing
from storage.engine.identity import IDENTITY
from storage.errors import unknown_study

UNKNOWN = 255
OPEN = (TrialState.RUNNING.value, TrialState.WAITING.value, UNKNOWN)
# Open trials are asked for by their ids: few at every look, many once in a while.
FEW, SOMETIMES_SECONDS = 64, 60.0

STUDY = text(f"""SELECT s.study_id, CAST(d.direction AS text) AS direction, {IDENTITY} AS identity
  FROM studies s JOIN study_directions d ON d.study_id = s.study_id
 WHERE s.study_name = :study""")
COLUMNS: Mapping[str, tuple[type, float]] = {
    "states": (np.uint8, UNKNOWN),
    "ids": (np.int64, -1),
    "values": (np.float64, np.nan),
    "last_steps": (np.int64, -1),
    "last_values": (np.float64, np.nan),
    "violations": (np.float64, 0.0),
    "finished": (np.uint8, 0),
    "ways": (np.uint8, 0),
}


class StudyArrays:
    """The trials of one study, by number, for one thread; UnknownStudy where it is gone.

    keeps_snapshots: whether to store a snapshot when the study has grown; a reader stores none.
    name, study_id, direction: of the study; the direction as Optuna has it.
    curves: of the trials that completed.
    """

    def __init__(self, connection: Connection, name: str, keeps_snapshots: bool = True) -> None:
        self.name, self._keeps_snapshots = name, keeps_snapshots
        self._kept = 0  # the trials of the last snapshot
        self._begin(connection)

    @property
    def count(self) -> int:
        """One more than the largest number of a trial."""
        return len(self.states)

    @property
    def states(self) -> NDArray[np.uint8]:
        """The states, numbered as Optuna's TrialState; UNKNOWN for a number that was not seen."""
        return self._columns["states"].array

    @property
    def values(self) -> Floats:
        """The values; NaN where there is none."""
        return self._columns["values"].array

    @property
    def last_steps(self) -> NDArray[np.int64]:
        """The last step of each complete or pruned trial; -1 for none."""
        return self._columns["last_steps"].array

    @property
    def last_values(self) -> Floats:
        """The value of that step."""
        return self._columns["last_values"].array

    @property
    def violations(self) -> Floats:
        """The sum of each trial's violated constraints."""
        return self._columns["violations"].array

    @property
    def is_finished(self) -> NDArray[np.bool_]:
        """Whether a worker of ours took each trial through its schedule."""
        finished: NDArray[np.bool_] = self._columns["finished"].array > 0
        return finished

    @property
    def ways(self) -> NDArray[np.uint8]:
        """How each trial was drawn: the place of its way in `changes.WAYS`."""
        return self._columns["ways"].array

    def is_drawn(self, number: int) -> bool:
        """Say whether a trial's values were drawn by an attempt before."""
        return bool(self.ways[number : number + 1].any())

    def column(self, name: str, distribution: BaseDistribution) -> Floats:
        """Return a parameter of every trial as Optuna stores it; NaN where a trial has none.

        A value that was drawn from another distribution is converted, NaN where it is not in this
        one.
        """
        drawn = self.drawn.get(name)
        if drawn is None:
            return np.full(self.count, np.nan)
        return drawn.column(distribution, self.count)

    def best(self, most: int) -> list[int]:
        """Return the numbers of the best trials that finished here; among equals the earlier."""
        finished = np.flatnonzero(self.is_finished)
        values = self.values[finished]
        if self.direction == StudyDirection.MAXIMIZE:
            values = -values
        if len(values) > most:  # sorted are only those that are as good as the last of the best
            is_good = values <= np.partition(values, most - 1)[most - 1]
            finished, values = finished[is_good], values[is_good]
        order = np.argsort(values, kind="stable")[:most]
        numbers: list[int] = finished[order].tolist()
        return numbers

    def ended_among(self, numbers: Iterable[int]) -> set[int]:
        """Return which of these trials have ended."""
        states = self.states
        return {number for number in numbers if number < len(states) and states[number] not in OPEN}

    def drew_others(self, names: Container[str]) -> NDArray[np.bool_]:
        """Say of each trial whether it has a parameter that is not among `names`."""
        others = np.zeros(self.count, dtype=np.bool_)
        for name, drawn in self.drawn.items():
            if name not in names:
                others |= drawn.is_drawn(self.count)
        return others

    def trial(
        self, number: int, trial_id: int, attributes: Mapping[str, Any]
    ) -> FrozenTrial | None:
        """Build a running trial as Optuna's object, with its values drawn so far.

        None where no trial has this number and this id: the study was made anew.
        """
        if self._columns["ids"].array[number : number + 1].tolist() != [trial_id]:
            return None
        distributions, params = {}, {}
        for name, drawn in self.drawn.items():
            if (distribution := drawn.distribution(number)) is not None:
                distributions[name] = distribution
                params[name] = external(distribution, drawn.value(number))
        return FrozenTrial(
            number=number,
            trial_id=trial_id,
            state=TrialState.RUNNING,
            value=None,
            datetime_start=None,
            datetime_complete=None,
            params=params,
            distributions=distributions,
            user_attrs={},
            system_attrs=dict(attributes),
            intermediate_values={},
        )

    def refresh(self, connection: Connection, this: int = -1) -> Mapping[str, Any]:
        """Read what is new; return the system attributes of the trial with the id `this`."""
        is_more = True
        while is_more:
            changes = read_changes(connection, self._known(), this)
            if changes.identity != self._identity:
                self._begin(connection)
            elif self._are_others(changes):
                if self._keeps_snapshots:
                    snapshots.remove(connection, self.study_id)
                self._begin(connection, has_snapshot=False)
            else:
                self._take(changes)
                is_more = not changes.is_all
        if self._keeps_snapshots and snapshots.is_due(self.count, self._kept):
            arrays = self._packed()
            self._kept = snapshots.write(connection, self.study_id, arrays, self.count)
        return changes.attributes

    def _begin(self, connection: Connection, has_snapshot: bool = True) -> None:
        row = connection.execute(STUDY, {"study": self.name}).one_or_none()
        if row is None:
            raise unknown_study(self.name)
        self.study_id = int(row.study_id)
        self.direction = StudyDirection[row.direction]
        self._identity: str = row.identity
        self._seen: str | None = None
        self._asked_at = -SOMETIMES_SECONDS
        self._clear()
        if has_snapshot:
            self._read_snapshot(connection)
        self._kept = self.count

    def _read_snapshot(self, connection: Connection) -> None:
        if arrays := snapshots.read(connection, self.study_id, self._keeps_snapshots):
            try:
                self._unpack(arrays)
            except KeyError:  # it lacks an array that this search has
                self._clear()

    def _clear(self) -> None:
        self.drawn: dict[str, Drawn] = {}
        self.curves = Curves(self.direction)
        self._columns = {name: Growing(*kind) for name, kind in COLUMNS.items()}

    def _packed(self) -> dict[str, NDArray[Any]]:
        arrays = {name: column.array for name, column in self._columns.items()}
        arrays |= {f"curve {name}": column for name, column in self.curves.packed().items()}
        for index, drawn in enumerate(self.drawn.values()):
            arrays |= {f"drawn {index} {part}": column for part, column in drawn.packed().items()}
        return {**arrays, "names": np.array([*self.drawn], dtype=np.str_)}

    def _unpack(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        for name, column in self._columns.items():
            column.extend(arrays[name])
        self.curves.unpack(_under("curve ", arrays))
        for index, name in enumerate(arrays["names"].tolist()):
            self.drawn[name] = Drawn()
            self.drawn[name].unpack(_under(f"drawn {index} ", arrays))
        # What became of them since: they are read anew, whatever their state is.
        self.states[np.isin(self.states, OPEN)] = UNKNOWN

    def _known(self) -> Known:
        ids, states = self._columns["ids"].array, self.states
        asked = np.flatnonzero(np.isin(states, OPEN) & (ids >= 0))
        if len(asked) > FEW and time.monotonic() < self._asked_at + SOMETIMES_SECONDS:
            asked = asked[:0]
        else:
            self._asked_at = time.monotonic()
        return Known(
            name=self.name,
            study_id=self.study_id,
            seen=self._seen,
            newest=self.count - 1,
            ids=ids[asked].tolist(),
            states=[_word(state) for state in states[asked].tolist()],
        )

    def _are_others(self, changes: Changes) -> bool:
        """Say whether trials have the numbers of known ones, which somebody has deleted."""
        ids = self._columns["ids"].array
        is_known = changes.numbers < len(ids)
        before = ids[changes.numbers[is_known]]
        return bool(np.any((before >= 0) & (before != changes.ids[is_known])))

    def _take(self, changes: Changes) -> None:
        count = max(self.count, int(changes.numbers.max(initial=-1)) + 1)
        for column in self._columns.values():
            column.grow(count)
        for name in ("ids", "states", "values", "finished", "ways"):
            self._columns[name].array[changes.numbers] = getattr(changes, name)
        for number, violation in changes.violations.items():
            self.violations[number] = violation
        for each in changes.drawn:
            self.drawn.setdefault(each.name, Drawn()).take(each)
        self._take_curves(changes)
        self._seen = changes.seen

    def _take_curves(self, changes: Changes) -> None:
        numbers, steps, values = changes.curves
        is_last = np.append(numbers[1:] != numbers[:-1], True)[: len(numbers)]
        self.last_steps[numbers[is_last]] = steps[is_last]
        self.last_values[numbers[is_last]] = values[is_last]
        is_complete = self.states[numbers] == TrialState.COMPLETE.value
        self.curves.add(*(column[is_complete] for column in changes.curves))


def _under(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def _word(state: int) -> str | None:
    return None if state == UNKNOWN else TrialState(state).name
