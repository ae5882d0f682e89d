"""Draws that no trial has a part in: uniform ones, and from the priors."""

from collections.abc import Mapping
from random import Random
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import RandomSampler

from search.samplers.beliefs import Beliefs
from search.samplers.searched import Configuration, Searched

NOBODY: Any = None  # in place of Optuna's study and trial, which its random sampler never reads


class Uniform:
    """Draws every parameter uniformly on its scale, with the random numbers of Optuna's sampler."""

    def __init__(self, searched: Searched, seed: int) -> None:
        self._searched, self._random = searched, RandomSampler(seed)

    def draw(self, given: Mapping[str, Any]) -> Configuration:
        """Draw a whole configuration that has the values `given`."""
        return self._searched.whole(given, self.value)

    def value(self, name: str, distribution: BaseDistribution) -> Any:
        """Draw one value."""
        return self._random.sample_independent(NOBODY, NOBODY, name, distribution)


class FromPrior:
    """Draws every parameter from its own prior, uniformly where it has none."""

    def __init__(self, searched: Searched, beliefs: Beliefs, seed: int) -> None:
        self._searched, self._beliefs, self._seed = searched, beliefs, seed

    def draw(self, given: Mapping[str, Any]) -> Configuration:
        """Draw a whole configuration that has the values `given`."""
        return self._searched.whole(given, self._value)

    def _value(self, name: str, distribution: BaseDistribution) -> Any:
        # Each parameter has its own stream, so that no condition changes the values of others.
        random = Random(f"{self._seed}/{name}")
        if name not in self._beliefs:
            return Uniform(self._searched, random.getrandbits(32)).value(name, distribution)
        quantile = np.array([random.random()])
        return distribution.to_external_repr(float(self._beliefs[name].draw(quantile)[0]))
