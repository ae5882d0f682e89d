"""The record of a study's priors: how the trials drawn with them did, beside those without.

P are the trials drawn with the prior, D those drawn without; enqueued ones are neither, but for the
first trial, which is the prior's most probable configuration. The mean score m of each side has a
normal distribution, given its trials of weight w and score z (search/samplers/ranks.py):

    m ~ N(sum(w z) / (sum(w) + 2), 1 / (sum(w) + 2))

The record is the probability that P's mean is the larger one, at 1.5 times the difference that was
seen: it decides sooner than a test would. A trial that is `a` trials of its side old weighs .9^a: a
prior may be right at first and wrong later on.
"""

import math

import numpy as np

from search.samplers.normal import ndtr
from search.samplers.observed import Floats

KEPT, CAUTION, SHARPNESS = 0.9, 2.0, 1.5


def record(with_prior: Floats, without: Floats) -> float:
    """Compute the record from the scores of both sides, (n,) and (m,), the oldest first."""
    (mean_with, variance_with), (mean_without, variance_without) = map(_mean, (with_prior, without))
    spread = math.sqrt(variance_with + variance_without)
    return float(ndtr(SHARPNESS * (mean_with - mean_without) / spread))


def _mean(scores: Floats) -> tuple[float, float]:
    """Return the mean and the variance of one side's mean score."""
    weights = KEPT ** np.arange(len(scores))[::-1]
    total = weights.sum() + CAUTION
    return float(np.sum(weights * scores) / total), float(1 / total)
