"""The suites of `optuna.testing.pytest_samplers`, which every sampler of Optuna passes.

Our sampler draws one trial of a declared study. Here one is built for every draw, over the trials
of an Optuna study and the parameters that these have in common. Every parameter of the suites has a
prior in turn: beliefs, trust and record take part.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler
from optuna.search_space import IntersectionSearchSpace
from optuna.testing.pytest_samplers import (
    BasicSamplerTestCase,
    RelativeSamplerTestCase,
    SingleOnlySamplerTestCase,
)
from optuna.trial import FrozenTrial

from search.samplers.beliefs import Belief, Bell, Shares
from search.samplers.model import ModelClass
from search.samplers.models import MODELS
from search.samplers.plan import Setting
from search.samplers.sampler import TrialSampler
from search.samplers.searched import Searched
from storage.rows import Way
from tests.search.samplers.observing import Observing


class OverOptunasTrials(BaseSampler):
    """Draws each trial of an Optuna study as a trial of ours, and remembers how it was drawn.

    model: draws after start-up; None for draws at random.
    has_priors: whether there is a belief about every parameter.
    """

    def __init__(self, model: ModelClass | None, has_priors: bool) -> None:
        self._model, self._has_priors = model, has_priors
        self._spaces = IntersectionSearchSpace()
        self._ways: dict[int, Way] = {}

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return the parameters that all ended trials have."""
        return self._spaces.calculate(study)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Draw these parameters jointly."""
        if len(study.directions) > 1:
            raise ValueError("a study has one direction")
        sampler = self._sampler(study, trial, search_space)
        self._ways[trial.number] = sampler.drawing.way
        return sampler.sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Draw one parameter by itself."""
        space = {param_name: param_distribution}
        return self.sample_relative(study, trial, space)[param_name]

    def _sampler(
        self, study: optuna.Study, trial: FrozenTrial, space: Mapping[str, BaseDistribution]
    ) -> TrialSampler:
        count = len(study.get_trials(deepcopy=False))
        ways = [self._ways.get(number, Way.ENQUEUED) for number in range(count)]
        beliefs = {name: belief_about(each) for name, each in space.items() if not each.single()}
        setting = Setting(
            searched=Searched(space),
            beliefs=beliefs if self._has_priors else {},
            model=self._model,
            observed=Observing(study, ways),
            number=trial.number,
            seed=0,
        )
        return TrialSampler(setting, {})


def belief_about(distribution: BaseDistribution) -> Belief:
    """Believe in the low end of a range, and in the first option."""
    if isinstance(distribution, CategoricalDistribution):
        shares = np.array([3.0, *[1.0] * (len(distribution.choices) - 1)])
        return Shares(shares / shares.sum())
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    return Bell(distribution, 0.1, 0.25)


class Ours:
    """The samplers that the suites are run with."""

    @pytest.fixture(params=[*MODELS, "random"])
    def sampler(self, request: pytest.FixtureRequest) -> Callable[[], BaseSampler]:
        """A sampler with priors, by each model."""
        return partial(OverOptunasTrials, MODELS.get(request.param), has_priors=True)


class TestBasics(Ours, BasicSamplerTestCase):  # type: ignore[misc]
    """Every kind of distribution, conditions, fixed values, missing values, changing ranges."""


class TestJointDraws(Ours, RelativeSamplerTestCase):  # type: ignore[misc]
    """Numbers and options drawn together."""


class TestOneDirection(Ours, SingleOnlySamplerTestCase):  # type: ignore[misc]
    """A study with several directions is refused."""
