"""Optuna's storage for a trial that is drawn: its values are collected and written afterwards."""

import copy
import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Protocol, runtime_checkable

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from storage.engine.arrays import StudyArrays
from storage.engine.frozen import external
from storage.engine.refusing import RefusingStorage
from storage.rows import Drawing, Way

Choose = Callable[[StudyArrays], BaseSampler]


@runtime_checkable
class Explained(Protocol):
    """A sampler that says how it draws."""

    @property
    def drawing(self) -> Drawing: ...

    @property
    def is_new(self) -> bool:
        """Whether no other trial was seen to have the values, once they are drawn."""
        ...


def drawing_of(sampler: BaseSampler, is_queued: bool) -> Drawing | None:
    """Return how a trial is drawn; None where its sampler does not say."""
    if is_queued:
        return Drawing(Way.ENQUEUED)
    return sampler.drawing if isinstance(sampler, Explained) else None


def is_new(sampler: BaseSampler) -> bool:
    """Say whether no other trial was seen to have the values that a sampler has drawn."""
    return isinstance(sampler, Explained) and sampler.is_new


def digest(study: str, drawn: Mapping[str, tuple[float, BaseDistribution]]) -> str:
    """Compute a text that only these values of this study have.

    drawn: name -> the value as Optuna stores it, and its distribution.
    """
    values = {name: external(distribution, value) for name, (value, distribution) in drawn.items()}
    return sha256(json.dumps([study, values], sort_keys=True).encode()).hexdigest()[:32]


def at_random(_: StudyArrays) -> BaseSampler:
    """Return a sampler that draws uniformly."""
    return RandomSampler()


class DrawingStorage(RefusingStorage):
    """One trial; its values are collected, nothing is written.

    A sampler that looks at other trials reads them from the study's arrays.

    drawn: name -> the value as Optuna stores it, and its distribution, in the order of drawing.
    """

    refused = "a sampler draws one trial"
    way = "read the other trials from the study's arrays"

    def __init__(self, arrays: StudyArrays, trial: FrozenTrial) -> None:
        self._arrays, self._trial = arrays, trial
        self.drawn: dict[str, tuple[float, BaseDistribution]] = {}

    def set_trial_param(
        self,
        trial_id: int,
        param_name: str,
        param_value_internal: float,
        distribution: BaseDistribution,
    ) -> None:
        """Collect a value of the trial that is drawn."""
        self.drawn[param_name] = param_value_internal, distribution

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Discard it: Optuna's TPE notes a draw so before its values are written one by one."""

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """Return a copy of the trial, which Optuna's trial changes while it is drawn."""
        return copy.deepcopy(self._trial)

    def get_study_id_from_name(self, study_name: str) -> int:
        """Return the id of the one study."""
        return self._arrays.study_id

    def get_study_name_from_id(self, study_id: int) -> str:
        """Return the name of the one study."""
        return self._arrays.name

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        """Return the one direction."""
        return [self._arrays.direction]

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        """Return none: no sampler of ours asks for them."""
        return {}

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        """Return none: they name the metrics of studies with several."""
        return {}
