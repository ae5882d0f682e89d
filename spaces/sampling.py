"""The samplers that a study may name, in words, and the numbers that words and decisions share.

Their decisions are in `search/samplers/`.
"""

from collections.abc import Mapping

LEAST_ENDED = 4  # trials, before which nothing is learned from them
# Ended trials drawn with the priors, and as many drawn without, before anybody is told who did
# better: as many as the sampler asks for to learn anything. Ranks of four and four can differ by
# chance once in 70; of three and three, once in 20. A good prior soon leaves few without.
LEAST_COMPARED = LEAST_ENDED
LAST_WITH_PRIOR = 300  # ended trials, after which the priors are not asked
# From so many ended trials on TPE draws where a study leaves the model open: up to 40 a Gaussian
# process is far better (benchmarks/RESULTS.md), later on its draws get dear.
FIRST_OF_TPE = 200

MODELS: Mapping[str, str] = {
    "tpe": "a tree-structured Parzen estimator (TPE)",
    "gp": "a Gaussian process",
}
