"""Configurations that may be worth trying: all over the space, around the best, from the priors.

Every candidate has a value in every column, also in those that do not exist beside the others: a
step that changes the condition brings them in.
"""

import numpy as np
from numpy.random import Generator

from search.samplers.gp.acquisition import Acquisition
from search.samplers.gp.encoding import Encoding
from search.samplers.observed import Floats

SPREAD, NEAR, BELIEVED = 1024, 512, 256
STEPS = np.array([0.2, 0.05, 0.01])  # standard deviations, in places


def candidates(acquisition: Acquisition, best: Floats, random: Generator) -> Floats:
    """Return valid points: (m, columns).

    best: (k, columns), tried points, the best first.
    """
    encoding = acquisition.encoding
    parts = [_all_over(encoding, random), _around(encoding, best, random)]
    if acquisition.beliefs:
        parts.append(_believed(acquisition, random))
    return np.concatenate(parts)


def _all_over(encoding: Encoding, random: Generator) -> Floats:
    """Spread points evenly, by a scrambled Sobol sequence."""
    from scipy.stats import qmc  # takes a second to load

    return encoding.spread(qmc.Sobol(len(encoding.columns), rng=random).random(SPREAD))


def _around(encoding: Encoding, best: Floats, random: Generator) -> Floats:
    """Change one column of the best points, and two others on average."""
    columns = len(encoding.columns)
    others = encoding.spread(random.random((NEAR, columns)))
    base = best[np.arange(NEAR) % len(best)]
    base = np.where(np.isnan(base), others, base)
    steps = STEPS[random.integers(len(STEPS), size=(NEAR, 1))]
    moved = np.clip(base + steps * random.standard_normal((NEAR, columns)), 0, 1)
    moved = np.where(encoding.is_choice, others, moved)
    is_moved = random.random((NEAR, columns)) < 2 / columns
    is_moved[np.arange(NEAR), random.integers(columns, size=NEAR)] = True
    return encoding.snapped(np.where(is_moved, moved, base))


def _believed(acquisition: Acquisition, random: Generator) -> Floats:
    """Draw the believed parameters by their priors, the others uniformly."""
    encoding = acquisition.encoding
    points = encoding.spread(random.random((BELIEVED, len(encoding.columns))))
    for column, table in acquisition.beliefs.items():
        shares = np.exp(table.ratios)
        points[:, column] = random.choice(table.places, size=BELIEVED, p=shares / shares.sum())
    return encoding.snapped(points)
