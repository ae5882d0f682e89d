"""The sampler of a trial: prior and uniform draws in turn, then TPE.

The calls that draw a value: `Space.suggest` calls Optuna's trial, Optuna calls the sampler, and
the `PriorSampler` calls the parameter of the same space, which draws from its prior.
"""

import warnings

import optuna
from optuna.samplers import BaseSampler, RandomSampler, TPESampler

from search.samplers.prior import PriorSampler
from search.seeds import derive_seed
from spaces.study import Study

# Half of them drawn from the prior, half uniformly: a prior that is wrong costs four trials.
STARTUP_TRIALS = 8


def sampler_for(study: Study, number: int) -> BaseSampler:
    """Return the sampler of trial `number`, seeded by the study's seed and the number.

    Start-up trials alternate between the prior and uniform draws; TPE draws all later ones.
    """
    seed = derive_seed(study.seed, number, "sample")
    if number < STARTUP_TRIALS:
        return PriorSampler(study.space, seed) if number % 2 == 0 else RandomSampler(seed)
    with warnings.catch_warnings():
        # `group` models conditional parameters apart; Optuna marks it as experimental.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        conditional = any(param.when for param in study.space)
        # The start-up is over, so TPE learns from the first trials that ended.
        return TPESampler(seed=seed, group=conditional, n_startup_trials=STARTUP_TRIALS // 2)
