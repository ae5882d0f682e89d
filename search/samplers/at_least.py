"""Options that a study guarantees a number of finished trials, so that a question stays answerable.

`Study(at_least={"backbone": 5})` gives every option of `backbone` five finished trials. A trial is
given an option where the option would otherwise fall behind its share: the j-th of k trials is due
after (j - 1/2) / k of the budget, and all that are missing when no more trials are left than these.
Where other workers draw at this moment, so that their values are not known yet, each takes the next
one of the missing options.
Finished and running trials count, failed and pruned ones do not; until an option has its finished
trials, none of its trials is pruned. One that fails is made up for while the budget lasts.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from optuna.trial import TrialState

from search.samplers.observed import Observed
from search.samplers.searched import Searched
from spaces.params import Value
from spaces.study import Study

COUNTED = (TrialState.COMPLETE, TrialState.RUNNING)


def guaranteed(
    study: Study, searched: Searched, number: int, observed: Observed
) -> Mapping[str, Value]:
    """Return the options that trial `number` must have: parameter -> option, empty for none."""
    return dict(_due(study, searched, number, observed))


def lacks_finished(study: Study, config: Mapping[str, Any], read: Callable[[], Observed]) -> bool:
    """Say whether a configuration has an option that still lacks finished trials.

    read: reads the study's trials; not called where nothing is guaranteed.
    """
    if not study.at_least:
        return False
    searched, observed = Searched.of(study.space), read()
    return any(
        _count(searched, name, observed, (TrialState.COMPLETE,)).get(config[name], least) < least
        for name, least in study.at_least.items()
        if name in config
    )


def _due(
    study: Study, searched: Searched, number: int, observed: Observed
) -> Iterator[tuple[str, Value]]:
    left = study.trials - number
    for name, least in study.at_least.items():
        counts = _count(searched, name, observed, COUNTED, without=number)
        rarest = sorted(counts, key=counts.__getitem__)
        missing = [option for option in rarest for _ in range(counts[option], least)]
        if missing:
            option = missing[_drawn_now(searched, number, observed) % len(missing)]
            is_late = number / study.trials * least > counts[option] + 0.5
            if len(missing) >= left or is_late:
                yield name, option


def _drawn_now(searched: Searched, number: int, observed: Observed) -> int:
    """Count the running trials before this one whose values are not known yet."""
    is_open = observed.states[:number] == TrialState.RUNNING
    for name, distribution in searched.distributions.items():
        is_open &= np.isnan(observed.column(name, distribution)[:number])
    return int(np.count_nonzero(is_open))


def _count(
    searched: Searched,
    name: str,
    observed: Observed,
    states: tuple[TrialState, ...],
    without: int | None = None,
) -> dict[Value, int]:
    """Count the trials of each option of a parameter, in some states."""
    distribution: Any = searched.distributions[name]
    is_counted = np.isin(observed.states, states)
    if without is not None:
        is_counted[without : without + 1] = False
    column = observed.column(name, distribution)[is_counted]
    return {
        option: int(np.count_nonzero(column == place))
        for place, option in enumerate(distribution.choices)
    }
