"""The sampler of one trial: it draws a whole configuration, and says how.

Two trials have the same configuration only where it cannot be helped. One that a trial has already,
whether it has ended or runs, is drawn again, up to 8 times in the same way and then up to 64 times
uniformly; where a trial has each of these as well, one of those that are left is drawn. Where every
configuration has been tried, none is drawn again.

Workers that draw at the same moment do not see each other's values. Of those that drew the same
configuration one stores it, and the others draw again beside it (`Store.trial`).
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import islice
from random import Random
from typing import Any

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial

from search.samplers.model import ModelFailed
from search.samplers.plan import Plan, Setting, plan
from search.samplers.searched import Configuration
from search.samplers.tried import Tried
from search.samplers.unlearned import Uniform
from search.seeds import derive_seed
from storage.optuna_inside import queued_values
from storage.rows import Drawing, Way

log = logging.getLogger(__name__)

SAME_WAY, UNIFORMLY = 8, 64  # draws until one is chosen of those that no trial has
MOST_LEFT = 1000  # of which it is chosen


@dataclass(frozen=True)
class Whole:
    """A whole configuration, how it was drawn, and whether no other trial was seen to have it."""

    configuration: Configuration
    drawing: Drawing
    is_new: bool


class TrialSampler(BaseSampler):
    """Draws the values of one trial, all of them at the first that it is asked for."""

    def __init__(
        self, setting: Setting, given: Mapping[str, Any], why: Mapping[str, Any] | None = None
    ) -> None:
        """Prepare the draw.

        given: values that the trial must have, unless it was queued with others.
        why: is added to why it was drawn so.
        """
        self._setting, self._given, self._why = setting, given, why or {}
        self._is_new = False

    @property
    def drawing(self) -> Drawing:
        """How the trial is drawn, and why so."""
        drawing = self._whole.drawing
        return replace(drawing, why={**drawing.why, **self._why})

    @property
    def is_new(self) -> bool:
        """Whether no other trial was seen to have the values that were drawn."""
        return self._is_new

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return every parameter that has several values."""
        return dict(self._setting.searched.open)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return the values of the parameters that exist in the trial's configuration.

        The values that a trial was queued with are kept, and the others drawn to go with them.
        """
        queued = queued_values(trial.system_attrs)
        given = {**self._given, **queued}
        drawn = draw_whole(self._setting, given) if queued else self._whole
        self._is_new = drawn.is_new
        return {name: value for name, value in drawn.configuration.items() if name in search_space}

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Draw a parameter that the study does not declare, uniformly."""
        seed = derive_seed(self._setting.seed, self._setting.number, param_name)
        return Uniform(self._setting.searched, seed).value(param_name, param_distribution)

    @cached_property
    def _whole(self) -> Whole:
        return draw_whole(self._setting, self._given)


def draw_whole(setting: Setting, given: Mapping[str, Any]) -> Whole:
    """Draw the configuration of a trial that has the values `given`, if possible a new one.

    It is drawn uniformly where the model fails.
    """
    planned = plan(setting)
    try:
        return _whole(setting, planned, given)
    except ModelFailed as error:
        log.warning("trial %d is drawn uniformly: %s", setting.number, error)
        uniform, why = partial(Uniform, setting.searched), {**planned.why, "failed": str(error)}
        return _whole(setting, Plan(Way.UNIFORM, uniform, why), given)


def _whole(setting: Setting, planned: Plan, given: Mapping[str, Any]) -> Whole:
    tried = Tried(
        searched=setting.searched,
        observed=setting.observed,
        number=setting.number,
        queued=setting.queued,
    )
    for turn, drawn in enumerate(_draws(setting, planned, given, tried)):
        way, configuration = drawn
        is_new = not tried.has(configuration)
        if is_new or (turn == 0 and tried.has_all(given)):
            break
    redrawn = {"redrawn": turn} if turn else {}
    return Whole(configuration, Drawing(way, {**planned.why, **redrawn}), is_new)


def _draws(
    setting: Setting, planned: Plan, given: Mapping[str, Any], tried: Tried
) -> Iterator[tuple[Way, Configuration]]:
    """Yield configurations until one is taken, each from its own stream of random numbers."""
    yield planned.way, planned.source(_seed(setting)).draw(given)
    for turn in range(1, SAME_WAY):
        yield planned.way, planned.source(_seed(setting, turn)).draw(given)
    for turn in range(UNIFORMLY):
        seed = _seed(setting, SAME_WAY + turn)
        yield Way.UNIFORM, Uniform(setting.searched, seed).draw(given)
    seed = _seed(setting, SAME_WAY + UNIFORMLY)
    left = Random(seed).choice([*islice(tried.others(given), MOST_LEFT)])
    yield Way.UNIFORM, Uniform(setting.searched, seed).draw(left)


def _seed(setting: Setting, *turn: int) -> int:
    return derive_seed(setting.seed, setting.number, "sample", *turn)
