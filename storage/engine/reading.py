"""Optuna's storage for readers: every study of the database, with nothing that writes."""

import copy
from collections.abc import Container, Sequence
from threading import Lock
from typing import Any

from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import Engine, Row, TextClause, text

from storage.engine.frozen import FROZEN, PARTS, attributes, frozen
from storage.engine.identity import IDENTITY
from storage.engine.refusing import RefusingStorage
from storage.errors import DatabaseUnreachable
from storage.optuna_inside import FrozenStudy
from storage.transaction import step

AT_ONCE = 1000  # new trials in one statement, which the server would end after 10 s

STUDIES = """SELECT s.study_id, s.study_name, d.directions,
       u.user_keys, u.user_values, y.system_keys, y.system_values
  FROM studies s
 CROSS JOIN LATERAL (
       SELECT array_agg(CAST(direction AS text) ORDER BY objective) AS directions
         FROM study_directions WHERE study_id = s.study_id) d
 CROSS JOIN LATERAL (
       SELECT array_agg(key ORDER BY study_user_attribute_id) AS user_keys,
              array_agg(value_json ORDER BY study_user_attribute_id) AS user_values
         FROM study_user_attributes WHERE study_id = s.study_id) u
 CROSS JOIN LATERAL (
       SELECT array_agg(key ORDER BY study_system_attribute_id) AS system_keys,
              array_agg(value_json ORDER BY study_system_attribute_id) AS system_values
         FROM study_system_attributes WHERE study_id = s.study_id) y"""
EVERY_STUDY = text(f"{STUDIES} ORDER BY s.study_id")
STUDY_OF_ID = text(f"{STUDIES} WHERE s.study_id = :study")
STUDY_OF_NAME = text(f"{STUDIES} WHERE s.study_name = :name")

TRIAL = text(f"SELECT {FROZEN} FROM trials t {PARTS} WHERE t.trial_id = :trial")

# The trials of `again` and those after `last`; a row of nulls where there are none, and no row
# where there is no study. Within a study numbers are given under a lock, and so commit in order.
NEWS = text(f"""SELECT {IDENTITY} AS identity, {FROZEN}
  FROM studies s
  LEFT JOIN LATERAL (
       SELECT * FROM trials WHERE study_id = s.study_id
                              AND number = ANY(CAST(:again AS integer[]))
        UNION ALL
       (SELECT * FROM trials WHERE study_id = s.study_id AND number > :last
         ORDER BY number LIMIT :most)) t ON true
 {PARTS}
 WHERE s.study_id = :study ORDER BY t.number""")


class ReadingStorage(RefusingStorage):
    """Every study in the database, ours and others', as Optuna's own storage reads it.

    Ended trials are kept in memory, since Optuna lets nobody change them. Trials that run or wait
    are read at every look. Writes raise StorageError.

    engine: a pooled one.
    """

    refused = "studies are only read here"
    way = "change them with the `search` command, or by Optuna at the URL of the database"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[int, _KnownTrials] = {}

    def get_all_studies(self) -> list[FrozenStudy]:
        """Read every study, oldest first."""
        rows = self._read(EVERY_STUDY)
        for gone in set(self._known).difference(row.study_id for row in rows):
            self._known.pop(gone, None)
        return [
            FrozenStudy(
                study_name=row.study_name,
                direction=None,
                directions=_directions(row),
                user_attrs=attributes(row.user_keys, row.user_values),
                system_attrs=attributes(row.system_keys, row.system_values),
                study_id=row.study_id,
            )
            for row in rows
        ]

    def get_study_id_from_name(self, study_name: str) -> int:
        """Read the id of the study of this name; KeyError where there is none."""
        return int(self._one(STUDY_OF_NAME, name=study_name).study_id)

    def get_study_name_from_id(self, study_id: int) -> str:
        """Read the name of a study; KeyError where it is gone."""
        return str(self._one(STUDY_OF_ID, study=study_id).study_name)

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        """Read the direction of each objective; KeyError where the study is gone."""
        return _directions(self._one(STUDY_OF_ID, study=study_id))

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        """Read the attributes that people and programs gave; KeyError where the study is gone."""
        row = self._one(STUDY_OF_ID, study=study_id)
        return attributes(row.user_keys, row.user_values)

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        """Read Optuna's and the dashboard's own attributes; KeyError where the study is gone."""
        row = self._one(STUDY_OF_ID, study=study_id)
        return attributes(row.system_keys, row.system_values)

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """Return the trials in the order of their numbers; KeyError where the study is gone."""
        trials = self._look(study_id)
        if states is not None:
            trials = [trial for trial in trials if trial.state in states]
        return copy.deepcopy(trials) if deepcopy else trials

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """Return a trial; KeyError where it is gone."""
        for known in list(self._known.values()):
            if trial_id in known.ended:
                return known.ended[trial_id]
        return frozen(self._one(TRIAL, trial=trial_id))

    def _look(self, study_id: int) -> list[FrozenTrial]:
        """Read what is new of a study's trials, and return all."""
        known = self._known.setdefault(study_id, _KnownTrials())
        with known.lock:
            again, is_more = list(known.open), True
            while is_more:
                given = {"study": study_id, "last": known.last, "again": again, "most": AT_ONCE}
                rows = self._read(NEWS, **given)
                if not rows:
                    self._known.pop(study_id, None)
                    raise KeyError(f"no study has the id {study_id}")
                if known.identity not in (None, rows[0].identity):
                    known.clear()  # the database was restored to an earlier point
                else:
                    is_more = known.take(rows) >= AT_ONCE
                again = []
            return list(known.trials.values())

    def _one(self, query: TextClause, **given: object) -> Row[Any]:
        """Read one row; KeyError where there is none, which Optuna's callers expect."""
        rows = self._read(query, **given)
        if not rows:
            raise KeyError(f"nothing is stored under {given}")
        return rows[0]

    def _read(self, query: TextClause, **given: object) -> Sequence[Row[Any]]:
        with step(self._engine) as connection:
            try:
                return connection.execute(query, given).all()
            except DatabaseUnreachable:
                if not connection.invalidated:  # such as a lock that another session keeps
                    raise
                connection.rollback()  # it was cut while it was idle: a new one takes its place
                return connection.execute(query, given).all()


class _KnownTrials:
    """The trials of one study as they were at the last look.

    identity: of the study at that look; None before the first.
    trials: by number, in the order of numbers.
    ended: those that cannot change any more, by id.
    open: the numbers of the others.
    lock: of the one thread that reads what is new.
    """

    def __init__(self) -> None:
        self.lock = Lock()
        self.clear()

    def clear(self) -> None:
        """Forget every trial."""
        self.identity: str | None = None
        self.trials: dict[int, FrozenTrial] = {}
        self.ended: dict[int, FrozenTrial] = {}
        self.open: set[int] = set()
        self.last = -1

    def take(self, rows: Sequence[Row[Any]]) -> int:
        """Keep the trials of rows of NEWS, and return how many of them are new."""
        before, self.identity = len(self.trials), rows[0].identity
        for row in rows:
            if row.trial_id is None:
                continue
            trial = frozen(row)
            self.trials[trial.number] = trial
            self.last = max(self.last, trial.number)
            if trial.state.is_finished():
                self.ended[row.trial_id] = trial
                self.open.discard(trial.number)
            else:
                self.open.add(trial.number)
        return len(self.trials) - before


def _directions(row: Row[Any]) -> list[StudyDirection]:
    return [StudyDirection[each] for each in row.directions]
