"""The prior of a choice or a toggle: the option with the best mean result against the next one.

The difference of the means has its 95 % interval (Welch 1947, doi:10.1093/biomet/34.1-2.28). With k
options that have two trials or more it is the interval of 1 - .05 / (k - 1), because the leader is
picked among all of them (Bonferroni). The leader is clear where the interval lies above 0:

- leads: it is clear, and the prior is even.
- prior holds: it is clear, and no option has a larger weight.
- prior wrong: it is clear, and another option has a larger weight.
- undecided: anything else.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboards.analysis.priors.ruling import RARE, Floats, Ranked, Ruling
from spaces.params import Choice, Toggle, Value

MOST_OPTIONS = 12


@dataclass(frozen=True, kw_only=True)
class OptionCount:
    """One option of a choice.

    weight: its share of the prior.
    trials, best: how many finished trials have it, and how many of the best quarter.
    """

    option: Value
    weight: float
    trials: int
    best: int


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """The option with the best mean result against the next one.

    better_by: the difference of the means; positive where the leader is better, as it always is.
    low, high: its interval.
    """

    leader: Value
    other: Value
    better_by: float
    low: float
    high: float
    trials: tuple[int, int]

    @property
    def is_clear(self) -> bool:
        """Whether the interval lies above 0."""
        return self.low > 0


@dataclass(frozen=True, kw_only=True)
class OptionEvidence:
    """The evidence on a choice or a toggle.

    options: in the declared order; the MOST_OPTIONS that most trials have.
    contrast: None where there are no two options with two trials each, or no spread.
    """

    options: Sequence[OptionCount]
    best_count: int
    contrast: Contrast | None
    ruling: Ruling


def judge_options(param: Choice | Toggle, ranked: Ranked) -> OptionEvidence:
    """Judge the weights of options."""
    weights = param.weights
    places, best = ranked.values.astype(np.int64), ranked.best
    counts = [
        OptionCount(
            option=option,
            weight=weight / sum(weights),
            trials=int(np.count_nonzero(places == place)),
            best=int(np.count_nonzero(places[:best] == place)),
        )
        for place, (option, weight) in enumerate(zip(param.corners(), weights, strict=True))
    ]
    contrast = _contrast(param.corners(), places, ranked.results)
    return OptionEvidence(
        options=_most_tried(counts),
        best_count=best,
        contrast=contrast,
        ruling=_rule_options(counts, contrast),
    )


def welch_interval(one: Floats, other: Floats, confidence: float) -> tuple[float, float] | None:
    """Compute the interval of mean(other) - mean(one); None where neither group has any spread.

    one, other: two results or more each.
    """
    from scipy.special import stdtrit  # scipy.stats takes a second to load

    # Not scipy's ttest_ind: it warns where one of the groups has no spread.
    shares = [float(np.var(group, ddof=1)) / len(group) for group in (one, other)]
    total = sum(shares)
    if total == 0:
        return None
    freedom = total**2 / sum(
        share**2 / (len(group) - 1) for share, group in zip(shares, (one, other), strict=True)
    )
    half = float(stdtrit(freedom, (1 + confidence) / 2)) * math.sqrt(total)
    difference = float(np.mean(other) - np.mean(one))
    return difference - half, difference + half


def _rule_options(counts: Sequence[OptionCount], contrast: Contrast | None) -> Ruling:
    if contrast is None or not contrast.is_clear:
        return Ruling.UNDECIDED
    weights = [each.weight for each in counts]
    if max(weights) == min(weights):
        return Ruling.LEADS
    leading = next(each.weight for each in counts if each.option is contrast.leader)
    return Ruling.HOLDS if leading == max(weights) else Ruling.WRONG


def _contrast(
    options: Sequence[Value], places: NDArray[np.int64], results: Floats
) -> Contrast | None:
    groups = [(option, results[places == place]) for place, option in enumerate(options)]
    groups = [(option, group) for option, group in groups if len(group) >= 2]
    if len(groups) < 2:
        return None
    (leader, one), (other, next_one) = sorted(groups, key=lambda pair: float(np.mean(pair[1])))[:2]
    interval = welch_interval(one, next_one, 1 - RARE / (len(groups) - 1))
    return interval and Contrast(
        leader=leader,
        other=other,
        better_by=float(np.mean(next_one) - np.mean(one)),
        low=interval[0],
        high=interval[1],
        trials=(len(one), len(next_one)),
    )


def _most_tried(counts: Sequence[OptionCount]) -> list[OptionCount]:
    tried = sorted(counts, key=lambda each: (each.best, each.trials, each.weight), reverse=True)
    kept = tried[:MOST_OPTIONS]
    return [each for each in counts if each in kept]
