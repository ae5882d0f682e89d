"""The samplers that a study may name, in words, and the numbers that words and decisions share.

Their decisions are in `search/samplers/`.
"""

from collections.abc import Mapping

LEAST_ENDED = 4  # trials, before which nothing is learned from them
LAST_WITH_PRIOR = 300  # ended trials, after which the priors are not asked
FIRST_OF_TPE = 0  # how many trials have ended where TPE becomes the better model

MODELS: Mapping[str, str] = {
    "tpe": "a tree-structured Parzen estimator (TPE)",
    "gp": "a Gaussian process",
}
