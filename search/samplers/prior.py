"""A sampler that draws from the prior of each parameter."""

from random import Random
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import RandomSampler
from optuna.trial import FrozenTrial

from spaces.space import Space


class PriorSampler(RandomSampler):
    """Draws every parameter from its own prior, independently of the others."""

    def __init__(self, space: Space, seed: int) -> None:
        super().__init__(seed)
        self._space = space
        self._seed = seed

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Draw one parameter; each has its own stream, so that the order does not matter."""
        param = self._space.get(param_name)
        if param is None:
            raise KeyError(param_name)
        return param.draw(Random(f"{self._seed}/{param_name}"))
