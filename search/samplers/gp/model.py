"""A Gaussian process over whole configurations, conditional parameters and choices included.

Jones et al. 1998, "Efficient global optimization of expensive black-box functions", with the parts
described in the modules beside this one. Nothing is kept between draws: the parameters of the
process are found anew from the trials, so that any worker draws the same.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError
from optuna.trial import TrialState

from search.samplers.gp.acquisition import Acquisition, tables
from search.samplers.gp.candidates import candidates
from search.samplers.gp.encoding import Bools, Encoding
from search.samplers.gp.fit import fit
from search.samplers.gp.kernel import Space
from search.samplers.gp.maximum import Climber
from search.samplers.gp.posterior import Posterior
from search.samplers.gp.scores import scores
from search.samplers.gp.threads import one_thread
from search.samplers.model import DrawRequest, ModelFailed
from search.samplers.observed import Floats
from search.samplers.ranks import Numbers
from search.samplers.searched import Configuration
from search.samplers.unlearned import Uniform

BEST = 8  # trials around which candidates are drawn
MOST_TRIALS = 300  # a fit costs the cube; beyond them the best and the newest halves are kept
MOST_RUNNING = 100  # of many the newest


class GP:
    """Draws the values of one trial from what the others show; a `Model`."""

    name = "gp"

    def __init__(self, request: DrawRequest) -> None:
        self._request, self._observed, self._searched = request, request.observed, request.searched
        self._encoding = Encoding.of(request.searched)
        self._random = np.random.default_rng(request.seed)
        self._uniform = Uniform(request.searched, request.seed)

    def draw(self, given: Mapping[str, Any]) -> Configuration:
        """Draw the configuration that is most worth trying, of those that no trial has had.

        Draws uniformly where no trial has ended. Raises ModelFailed where the numerics fail.
        """
        try:
            with one_thread():
                drawn = self._drawn(given)
        except (LinAlgError, ValueError) as error:
            raise ModelFailed(f"the Gaussian process failed: {error}") from error
        return self._searched.whole({**drawn, **given}, self._uniform.value)

    def _drawn(self, given: Mapping[str, Any]) -> Configuration:
        encoding = self._encoding
        if not encoding.columns:
            return {}
        points, is_whole = self._points()
        numbers, of_trials = kept(*scores(self._observed, is_whole))
        if not len(numbers):
            return {}
        running = np.flatnonzero(is_whole & (self._observed.states == TrialState.RUNNING))
        tried = points[np.concatenate([numbers, running[-MOST_RUNNING:]])]
        posterior, expected = self._learned(tried, of_trials)
        acquisition = Acquisition(
            encoding=encoding,
            posterior=posterior,
            best=float(expected.max()),
            beliefs=tables(encoding, self._request.beliefs),
            weight=self._request.weight,
        )
        best = tried[np.argsort(-expected, kind="stable")[:BEST]]
        climber = Climber(acquisition, tried, encoding.held(given))
        ranked = climber.ranked(candidates(acquisition, best, self._random))
        return encoding.configuration(first_new(ranked, points[is_whole]))

    def _learned(self, tried: Floats, of_trials: Floats) -> tuple[Posterior, Floats]:
        """Return the process after all trials, and the score that it expects of each.

        tried: ended trials, one for each of the scores `of_trials`, then running ones.
        """
        space = Space.around(self._encoding, tried)
        coordinates = space.embed(tried)
        ended, running = np.split(coordinates, [len(of_trials)])
        posterior = Posterior.after(space, fit(space, ended, of_trials), ended, of_trials)
        if len(running):
            posterior = posterior.believing(running)
        return posterior, posterior.at(coordinates)[0]

    def _points(self) -> tuple[Floats, Bools]:
        """Return the points of all trials, and which have all values, but not this trial's own."""
        columns = self._encoding.columns
        stored = {
            each.name: self._observed.column(each.name, each.distribution) for each in columns
        }
        points, is_whole = self._encoding.points(stored)
        is_whole[self._request.number : self._request.number + 1] = False
        return points, is_whole


def kept(numbers: Numbers, of_trials: Floats) -> tuple[Numbers, Floats]:
    """Return the trials to learn from and their scores: all, or the best and the newest of many."""
    if len(numbers) <= MOST_TRIALS:
        return numbers, of_trials
    is_kept = np.zeros(len(numbers), dtype=np.bool_)
    is_kept[np.argsort(-of_trials, kind="stable")[: MOST_TRIALS // 2]] = True
    is_kept[np.flatnonzero(~is_kept)[-(MOST_TRIALS // 2) :]] = True
    return numbers[is_kept], of_trials[is_kept]


def first_new(ranked: Floats, tried: Floats) -> Floats:
    """Return the first of some points that no trial has had; the first one where all were tried."""
    known = {point.tobytes() for point in tried}
    return next((point for point in ranked if point.tobytes() not in known), ranked[0])
