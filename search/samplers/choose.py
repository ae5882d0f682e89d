"""The sampler of a trial: prior and uniform draws in turn, then TPE.

The calls that draw a value: `Space.suggest` calls Optuna's trial, Optuna calls the sampler, and
the `PriorSampler` calls the parameter of the same space, which draws from its prior.
"""

from optuna.samplers import BaseSampler, RandomSampler

from dashboards.analysis.distributions import distributions
from search.samplers.observed import Observed
from search.samplers.prior import PriorSampler
from search.samplers.tpe import TPE
from search.seeds import derive_seed
from spaces.study import Study

# Half of them drawn from the prior, half uniformly: a prior that is wrong costs four trials.
STARTUP_TRIALS = 8


def sampler_for(study: Study, number: int, observed: Observed) -> BaseSampler:
    """Return the sampler of trial `number`, seeded by the study's seed and the number.

    Start-up trials alternate between the prior and uniform draws; TPE draws all later ones.
    """
    seed = derive_seed(study.seed, number, "sample")
    if number < STARTUP_TRIALS:
        return PriorSampler(study.space, seed) if number % 2 == 0 else RandomSampler(seed)
    conditional = any(param.when for param in study.space)
    declared = distributions(study.space)
    return TPE(observed, declared, number=number, seed=seed, conditional=conditional)
