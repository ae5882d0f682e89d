"""Optuna's contract of a storage, refused: the base of storages that have a part of it."""

from typing import Any

from optuna.storages import BaseStorage

from storage.errors import StorageError


class RefusingStorage(BaseStorage):
    """Refuses every method that a subclass does not have, with StorageError.

    refused, way: why a method is refused, and what to do instead.
    """

    refused: str
    way: str

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise StorageError(self.refused, self.way)

    create_new_study = _refuse
    delete_study = _refuse
    set_study_user_attr = _refuse
    set_study_system_attr = _refuse
    create_new_trial = _refuse
    set_trial_param = _refuse
    set_trial_state_values = _refuse
    set_trial_intermediate_value = _refuse
    set_trial_user_attr = _refuse
    set_trial_system_attr = _refuse
    get_all_studies = _refuse
    get_all_trials = _refuse
