"""Optuna's storage for a sampler that draws one trial: read from memory, written afterwards."""

import copy
from collections.abc import Container, Sequence
from typing import Any, NoReturn

from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from storage.engine.memory import StudyMemory


class DrawingStorage(BaseStorage):
    """The trials of one study in memory; the values of one trial are collected, nothing is written.

    drawn: name -> the value as Optuna stores it, and its distribution, in the order of drawing.
    """

    def __init__(self, memory: StudyMemory, trial_id: int) -> None:
        self._memory, self._trial_id = memory, trial_id
        self.drawn: dict[str, tuple[float, BaseDistribution]] = {}

    def set_trial_param(
        self,
        trial_id: int,
        param_name: str,
        param_value_internal: float,
        distribution: BaseDistribution,
    ) -> None:
        """Collect a value of the trial that is drawn."""
        if trial_id != self._trial_id:
            _refuse()
        self.drawn[param_name] = param_value_internal, distribution

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Discard the note by which TPE tells others a draw before its values are written.

        Ours are written all at once.
        """

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """Return the trials in the order of their numbers."""
        trials = self._memory.trials
        if states is not None:
            trials = [trial for trial in trials if trial.state in states]
        return copy.deepcopy(trials) if deepcopy else trials

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """Return a copy of a trial, which Optuna's trial changes while it is drawn."""
        return copy.deepcopy(self._memory.trial(trial_id))

    def get_study_id_from_name(self, study_name: str) -> int:
        """Return the id of the one study."""
        return self._memory.study_id

    def get_study_name_from_id(self, study_id: int) -> str:
        """Return the name of the one study."""
        return self._memory.name

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        """Return the one direction."""
        return [self._memory.direction]

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        """Return none: no sampler of ours asks for them."""
        return {}

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        """Return none: they name the metrics of studies with several."""
        return {}

    def create_new_study(
        self, directions: Sequence[StudyDirection], study_name: str | None = None
    ) -> NoReturn:
        _refuse()

    def delete_study(self, study_id: int) -> NoReturn:
        _refuse()

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> NoReturn:
        _refuse()

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> NoReturn:
        _refuse()

    def get_all_studies(self) -> NoReturn:
        _refuse()

    def create_new_trial(
        self, study_id: int, template_trial: FrozenTrial | None = None
    ) -> NoReturn:
        _refuse()

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> NoReturn:
        _refuse()

    def set_trial_intermediate_value(
        self, trial_id: int, step: int, intermediate_value: float
    ) -> NoReturn:
        _refuse()

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> NoReturn:
        _refuse()


def _refuse() -> NoReturn:
    raise NotImplementedError("a sampler draws the values of one trial and writes nothing else")
