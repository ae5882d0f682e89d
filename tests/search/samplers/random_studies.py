"""Optuna studies of every shape that a sampler can meet, each made from its seed."""

import math
from collections.abc import Callable
from random import Random
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState, create_trial

NUMBERS: tuple[Callable[[Random], BaseDistribution], ...] = (
    lambda random: FloatDistribution(-3.0, 10 ** random.uniform(-2, 3)),
    lambda random: FloatDistribution(1e-6, 10 ** random.uniform(-5, 1), log=True),
    lambda random: FloatDistribution(-1.0, -1.0 + 0.25 * random.randint(1, 30), step=0.25),
    lambda random: IntDistribution(-4, random.choice([-3, 0, 20, 10**6])),
    lambda random: IntDistribution(0, 3 * random.randint(1, 20), step=3),
    lambda random: IntDistribution(1, random.choice([2, 60, 5000]), log=True),
)
CHOICES: tuple[Callable[[Random], BaseDistribution], ...] = (
    lambda random: CategoricalDistribution((None, "a", 1, 2.5, "b", "c")[: random.randint(2, 6)]),
    lambda _: CategoricalDistribution((False, True)),
    lambda random: random.choice([CategoricalDistribution(["one"]), IntDistribution(3, 3)]),
)
# How often trials are complete, pruned, failed, running, waiting.
STATES = ("COMPLETE", "PRUNED", "FAIL", "RUNNING", "WAITING")
MIXES = ([1, 0, 0, 0, 0], [5, 3, 1, 1, 0], [1, 5, 1, 2, 1], [3, 1, 1, 5, 0])


class RandomStudy:
    """A study in Optuna's memory with parameters, conditions and ended or running trials.

    conditions: name -> the earlier parameter and the value that it must have.
    """

    def __init__(self, seed: int, trials: int) -> None:
        self._random = random = Random(seed)
        self._mix = random.choice(MIXES)
        kinds = random.choice([NUMBERS, CHOICES, (*NUMBERS, *CHOICES)])
        names = random.sample([f"p{place}" for place in range(20)], random.randint(1, 8))
        self.space = {name: random.choice(kinds)(random) for name in names}
        self.conditions: dict[str, tuple[str, Any]] = {}
        if random.random() < 0.5:
            self._add_conditions(names)
        self.optuna_study = optuna.create_study(direction=random.choice(["minimize", "maximize"]))
        self.optuna_study.add_trials([self._trial() for _ in range(trials)])

    def draw(self, sampler: BaseSampler) -> dict[str, Any]:
        """Draw the next trial; it ends as a failure, of which no sampler learns."""
        self.optuna_study.sampler = sampler
        trial = self.optuna_study.ask()
        drawn = self._walk(trial._suggest)
        self.optuna_study.tell(trial, state=TrialState.FAIL)
        return drawn

    def _add_conditions(self, names: list[str]) -> None:
        for place, name in enumerate(names):
            for other in self._random.sample(names[:place], min(place, 1)):
                if isinstance(self.space[other], CategoricalDistribution):
                    self.conditions[name] = other, self._value(other, self.space[other])

    def _walk(self, value_of: Callable[[str, BaseDistribution], Any]) -> dict[str, Any]:
        """Find a value for every parameter that exists under the values before it."""
        drawn: dict[str, Any] = {}
        for name, distribution in self.space.items():
            other, needed = self.conditions.get(name, (None, None))
            if other is None or (other in drawn and drawn[other] == needed):
                drawn[name] = value_of(name, distribution)
        return drawn

    def _trial(self) -> FrozenTrial:
        random = self._random
        state = TrialState[random.choices(STATES, self._mix)[0]]
        is_drawn = state.is_finished() or (state == TrialState.RUNNING and random.random() < 0.7)
        params = self._walk(self._value) if is_drawn else {}
        number = random.choice([random.gauss(0, 1), float(random.randint(0, 2)), math.inf])
        steps = {
            step: random.choice([0.5, math.nan, number]) for step in range(random.randint(0, 4))
        }
        constraints = {f"constraints:{name}": random.choice([-1.0, 0.0, 2.0]) for name in "ab"}
        return create_trial(
            state=state,
            value=number if state == TrialState.COMPLETE else None,
            params=params,
            distributions={name: self.space[name] for name in params},
            intermediate_values=steps,
            system_attrs=constraints if is_drawn and random.random() < 0.15 else {},
        )

    def _value(self, name: str, distribution: BaseDistribution) -> Any:
        random = self._random
        if isinstance(distribution, CategoricalDistribution):
            return random.choice(distribution.choices)
        assert isinstance(distribution, FloatDistribution | IntDistribution)
        low, high, step = distribution.low, distribution.high, distribution.step
        if random.random() < 0.1:
            return random.choice([low, high])
        if step:
            return min(low + step * random.randint(0, round((high - low) / step)), high)
        return (
            low * (high / low) ** random.random() if distribution.log else random.uniform(low, high)
        )
