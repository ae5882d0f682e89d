"""The evidence of the ended trials on a study's priors: their record, and the trust in each."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from search.samplers.beliefs import Beliefs
from search.samplers.observed import Observed
from search.samplers.ranks import scores
from search.samplers.record import record
from search.samplers.searched import Searched
from search.samplers.tpe import inside
from search.samplers.trust import preferences, trust
from storage.engine.changes import WAYS
from storage.rows import Way

WITH_PRIOR = [WAYS.index(way) for way in (Way.PRIOR, Way.MODEL_WITH_PRIOR)]
WITHOUT = [WAYS.index(way) for way in (Way.UNIFORM, Way.MODEL)]
QUEUED = WAYS.index(Way.ENQUEUED)
LEAST_TRUST = 0.35


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """The evidence on a study's priors.

    record: how clearly trials drawn with the priors do better than those without, 0 to 1; .5 for
        no difference. Both kinds are drawn at different times, so that it is no test.
    trust: parameter -> the probability that its prior is right.
    drawn_with, drawn_without: how many ended trials were drawn with the priors and without.
    """

    record: float
    trust: Mapping[str, float]
    drawn_with: int
    drawn_without: int

    @property
    def believed(self) -> tuple[str, ...]:
        """The parameters whose priors are trusted."""
        return tuple(name for name, right in self.trust.items() if right >= LEAST_TRUST)


def know(observed: Observed, searched: Searched, beliefs: Beliefs) -> Knowledge:
    """Judge the priors by the trials that have ended, of which there is one at least."""
    numbers, score = scores(observed)
    ways = observed.ways[numbers]
    is_with, is_without = np.isin(ways, WITH_PRIOR), np.isin(ways, WITHOUT)
    # The study queues the prior's most probable configuration as its first trial.
    is_with |= (numbers == 0) & (ways == QUEUED)
    columns = {}
    for name in beliefs:
        distribution = searched.distributions[name]
        columns[name] = inside(observed.column(name, distribution), distribution)[numbers]
    rights = trust(preferences(beliefs, columns), score)
    return Knowledge(
        record=record(score[is_with], score[is_without]),
        trust=dict(zip(beliefs, rights.tolist(), strict=True)),
        drawn_with=int(np.count_nonzero(is_with)),
        drawn_without=int(np.count_nonzero(is_without)),
    )
