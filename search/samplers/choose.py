"""Where a trial's values come from: the prior, chance, then what was learned."""

import warnings

import optuna
from optuna.samplers import BaseSampler, RandomSampler, TPESampler

from search.samplers.prior import PriorSampler
from search.seeds import derive_seed
from spaces.study import Study

# Half of them drawn from the prior, half uniformly: a prior that is wrong costs four trials.
STARTUP_TRIALS = 8


def sampler_for(study: Study, number: int) -> BaseSampler:
    """Give the sampler of trial `number`: its stream depends on the study's seed and the number.

    Start-up trials alternate between the prior and uniform draws; the rest is learned (TPE).
    """
    seed = derive_seed(study.seed, number, "sample")
    if number < STARTUP_TRIALS:
        return PriorSampler(study.space, seed) if number % 2 == 0 else RandomSampler(seed)
    with warnings.catch_warnings():
        # `group` keeps conditional parameters apart; it is marked experimental.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        conditional = any(param.when for param in study.space)
        # Chance has had its turn above: TPE learns from the first trials that ended.
        return TPESampler(seed=seed, group=conditional, n_startup_trials=STARTUP_TRIALS // 2)
