"""The sampler of a trial, from a study's declaration and its other trials.

`Space.suggest` calls Optuna's trial, and Optuna calls the sampler that is returned here.
"""

from search.samplers.at_least import guaranteed
from search.samplers.beliefs import beliefs_of
from search.samplers.models import model_of
from search.samplers.observed import Observed
from search.samplers.plan import Setting
from search.samplers.ranks import count_ended
from search.samplers.sampler import TrialSampler
from search.samplers.searched import Searched
from spaces.study import Study


def sampler_for(study: Study, number: int, observed: Observed) -> TrialSampler:
    """Return the sampler of trial `number`, seeded by the study's seed and the number.

    The first trial is the prior's most probable configuration; a stored study has it in its queue.
    """
    searched = Searched.of(study.space)
    setting = Setting(
        searched=searched,
        beliefs=beliefs_of(study.space, searched.distributions),
        model=model_of(study.sampler, count_ended(observed)),
        observed=observed,
        number=number,
        seed=study.seed,
        queued=[study.space.mode(), *study.enqueue],
    )
    if number == 0 and setting.beliefs:
        return TrialSampler(setting, study.space.mode())
    options = guaranteed(study, searched, number, observed)
    return TrialSampler(setting, options, {"guaranteed": options} if options else {})
