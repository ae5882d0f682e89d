"""Values drawn from what is believed of each parameter before any trial."""

from random import Random
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import RandomSampler
from optuna.trial import FrozenTrial

from spaces.space import Space


class PriorSampler(RandomSampler):
    """Draws every parameter by itself, from what is believed of it."""

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
        """Draw one parameter; a stream of its own each, so that the order does not matter."""
        param = self._space.get(param_name)
        if param is None:
            raise KeyError(param_name)
        return param.draw(Random(f"{self._seed}/{param_name}"))
