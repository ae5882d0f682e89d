"""A study's trials in a process's memory, kept up to date by what is new.

Samplers and pruners read all trials, again and again. The first look reads the whole study, every
later one only trials that are new, that have ended or whose values were drawn meanwhile: one
statement each.
"""

from threading import Lock

from optuna.study import StudyDirection
from optuna.trial import FrozenTrial
from sqlalchemy import Connection, text

from storage.engine.frozen import FROZEN, PARTS, frozen
from storage.errors import unknown_study

STUDY = text("""SELECT s.study_id, CAST(d.direction AS text) AS direction
  FROM studies s JOIN study_directions d ON d.study_id = s.study_id
 WHERE s.study_name = :study""")

# The trials after `last`, those of `open` that have ended, those of `blank` that have begun, and
# one by its id.
REFRESH = text(f"""SELECT {FROZEN}
  FROM trials t
 {PARTS}
 WHERE t.study_id = :study AND (
       t.trial_id > :last OR t.trial_id = :this
       OR t.trial_id = ANY(CAST(:open AS integer[])) AND t.state NOT IN ('RUNNING', 'WAITING')
       OR t.trial_id = ANY(CAST(:blank AS integer[])) AND t.state <> 'WAITING')
 ORDER BY t.number""")


class StudyMemory:
    """The trials of one study as Optuna's FrozenTrial, by number; UnknownStudy where it is gone.

    direction: of the study, as Optuna has it.
    """

    def __init__(self, connection: Connection, study: str) -> None:
        row = connection.execute(STUDY, {"study": study}).one_or_none()
        if row is None:
            raise unknown_study(study)
        self.name, self.study_id = study, int(row.study_id)
        self.direction = StudyDirection[row.direction]
        self._trials: dict[int, FrozenTrial] = {}  # by the trial's id, in the order of numbers
        self._newest = -1  # the largest id; within a study ids are committed in their order
        self._open: set[int] = set()  # ids of trials that have values and have not ended
        self._blank: set[int] = set()  # ids of trials without values
        self._refreshing = Lock()

    @property
    def trials(self) -> list[FrozenTrial]:
        """Every trial that was known at the last look, in the order of their numbers."""
        return list(self._trials.values())

    def trial(self, trial_id: int) -> FrozenTrial:
        """Return a trial as it was at the last look; KeyError for one that was not there."""
        return self._trials[trial_id]

    def refresh(self, connection: Connection, this: int = -1) -> list[FrozenTrial]:
        """Read what is new, and return every trial.

        this: the id of a trial that is read in any case.
        """
        with self._refreshing:
            given = {
                "study": self.study_id,
                "last": self._newest,
                "this": this,
                "open": list(self._open),
                "blank": list(self._blank),
            }
            for row in connection.execute(REFRESH, given):
                self._take(row.trial_id, frozen(row))
            return self.trials

    def _take(self, trial_id: int, trial: FrozenTrial) -> None:
        self._trials[trial_id] = trial
        self._newest = max(self._newest, trial_id)
        self._open.discard(trial_id)
        self._blank.discard(trial_id)
        if not trial.state.is_finished():
            (self._open if trial.params else self._blank).add(trial_id)
