"""Trust in the prior of each parameter, from the scores of the ended trials.

The score of trial i (search/samplers/ranks.py) is modelled as

    z[i] = sum over parameters j of  s[i, j] * beta[j]  +  noise

where s[i, j], from -1 to 1, says how much the prior of j prefers the value that trial i has. Before
any trial beta[j] ~ N(0, .4^2). Trust is the probability of beta[j] > 0: values that the prior
prefers come with better trials, all other parameters being equal.
"""

import numpy as np

from search.samplers.beliefs import Beliefs
from search.samplers.normal import ndtr
from search.samplers.observed import Floats

PRIOR_SPREAD = 0.4  # of beta, in scores per preference
LEAST_NOISE, NOISE_TRIALS, PASSES = 0.3, 4, 2
CLEAREST = 2.0  # log of a density ratio: a clearer preference counts as this one


def preferences(beliefs: Beliefs, columns: dict[str, Floats]) -> Floats:
    """Compute how much each prior prefers the value of each trial: (n, parameters), centered.

    0 stands for no preference, and for a trial that has no such parameter.

    columns: name -> (n,), as Optuna stores the values; NaN for none.
    """
    preferred = np.zeros((len(next(iter(columns.values()))), len(beliefs)))
    for place, (name, belief) in enumerate(beliefs.items()):
        has_it = ~np.isnan(columns[name])
        ratios = belief.log_ratio(columns[name][has_it])
        preferred[has_it, place] = np.clip(ratios / CLEAREST, -1.0, 1.0)
    preferred -= preferred.mean(axis=0)
    return preferred


def trust(preferred: Floats, scores: Floats) -> Floats:
    """Compute the probability that each prior is right: (parameters,); .5 for no evidence.

    preferred: (n, parameters), n from 1 on. scores: (n,).
    """
    count, parameters = preferred.shape
    # Sums of NumPy's own, which are the same with any number of threads.
    inner = np.einsum("ij,ik->jk", preferred, preferred)
    outer = np.einsum("ij,i->j", preferred, scores)
    noise = 1.0
    for _ in range(PASSES):
        precision = inner / noise + np.eye(parameters) / PRIOR_SPREAD**2
        beta = np.linalg.solve(precision, outer / noise)
        rest = scores - np.einsum("ij,j->i", preferred, beta)
        squares = float(np.sum(rest**2))
        noise = max(LEAST_NOISE, (squares + NOISE_TRIALS) / (count + NOISE_TRIALS))
    spread = np.sqrt(np.diag(np.linalg.inv(precision)))
    right: Floats = ndtr(beta / spread)
    return right
