"""Who chooses configurations: our samplers, Optuna's, and uniform draws."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Protocol

import optuna
from optuna.samplers import BaseSampler, GPSampler, TPESampler
from optuna.trial import Trial

from benchmarks.search_quality.landscape import draw_config
from benchmarks.search_quality.memory import Arrays
from benchmarks.search_quality.peers import PEERS, Peer
from search.samplers.choose import sampler_for
from search.samplers.models import MODELS
from spaces.space import Space, TrialConfig
from spaces.study import Study
from storage.engine.drawing import DrawingStorage
from storage.rows import Way


class Asked(Protocol):
    """A search in progress."""

    def ask(self, number: int) -> TrialConfig:
        """Choose the configuration of a trial, which runs from then on."""
        ...

    def tell(self, number: int, value: float) -> None:
        """Take the value of a trial that has ended; the smaller, the better."""
        ...


Begin = Callable[[Space, int, int], Asked]


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A way to choose configurations.

    begin: begins a search, given the space, the number of trials and a seed.
    takes_priors: whether it is run with every prior, or once without.
    is_ours: whether its searches depend on our samplers.
    trials: of its searches at most, where more take too long.
    """

    begin: Begin
    takes_priors: bool = False
    is_ours: bool = False
    trials: int = 1000


class Ours:
    """Our sampler, driven as a worker drives it: the prior's mode is queued first.

    arrays: the trials so far, which are all that the sampler reads.
    """

    def __init__(self, study: Study) -> None:
        self._study, self.arrays = study, Arrays(study.space, study.trials)

    def ask(self, number: int) -> TrialConfig:
        """Draw with the sampler of this trial, which knows nothing but the arrays."""
        running = self.arrays.claim(number)
        if number == 0:
            config, way = self._study.space.mode(), Way.ENQUEUED
        else:
            sampler = sampler_for(self._study, number, self.arrays)
            drawing = DrawingStorage(self.arrays, running)
            trial = Trial(optuna.Study(Arrays.name, drawing, sampler), running._trial_id)
            config, way = self._study.space.suggest(trial), sampler.drawing.way
        self.arrays.draw(number, config, way)
        return config

    def tell(self, number: int, value: float) -> None:
        """Note the value."""
        self.arrays.tell(number, value)


class Optunas:
    """A sampler of Optuna's, in a study in Optuna's memory."""

    def __init__(self, space: Space, sampler: BaseSampler) -> None:
        self._space = space
        self._study = optuna.create_study(sampler=sampler)
        self._trials: dict[int, Trial] = {}

    def ask(self, number: int) -> TrialConfig:
        """Ask the study."""
        self._trials[number] = trial = self._study.ask()
        return self._space.suggest(trial)

    def tell(self, number: int, value: float) -> None:
        """Tell the study."""
        self._study.tell(self._trials.pop(number), value)


class Uniform:
    """Uniform draws."""

    def __init__(self, space: Space, seed: int) -> None:
        self._space, self._random = space, Random(f"uniform/{seed}")

    def ask(self, number: int) -> TrialConfig:
        """Draw a configuration."""
        return draw_config(self._space, self._random)

    def tell(self, number: int, value: float) -> None:
        """Learn nothing."""


def study_of(space: Space, *, trials: int, seed: int, sampler: str) -> Study:
    """Return a study in memory that chooses by one of our samplers."""
    return Study(
        name=Arrays.name,
        objective="toy_curve",
        metric="val_loss",
        direction="minimize",
        space=space,
        trials=trials,
        seed=seed,
        sampler=sampler,
    )


def ours(sampler: str) -> Contender:
    """Return our sampler of that name."""

    def begin(space: Space, trials: int, seed: int) -> Asked:
        return Ours(study_of(space, trials=trials, seed=seed, sampler=sampler))

    return Contender(begin=begin, takes_priors=True, is_ours=True)


def optunas(build: Callable[[int], BaseSampler], trials: int = 1000) -> Contender:
    """Return a sampler of Optuna's, built from a seed."""
    return Contender(begin=lambda space, _, seed: Optunas(space, build(seed)), trials=trials)


def peer(name: str) -> Contender:
    """Return another library's search."""
    return Contender(begin=partial(Peer, name), takes_priors=True, trials=40)


BASE, OPTUNA_GP, OURS = "Optuna TPE", "Optuna GP", "auto"
CONTENDERS: Mapping[str, Contender] = {
    BASE: optunas(lambda seed: TPESampler(seed=seed)),
    OPTUNA_GP: optunas(lambda seed: GPSampler(seed=seed, warn_independent_sampling=False), 40),
    "random": Contender(begin=lambda space, _, seed: Uniform(space, seed)),
    **{name: ours(name) for name in (OURS, *MODELS)},
    **{name: peer(name) for name in PEERS},
}
