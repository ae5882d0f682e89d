"""Processes and trials for the tests: studies in Optuna's memory, points with random scores."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial

from search.samplers.gp.encoding import Encoding
from search.samplers.gp.kernel import Space
from search.samplers.gp.model import GP
from search.samplers.model import DrawRequest
from search.samplers.observed import Floats
from search.samplers.searched import Searched
from tests.search.samplers.observing import Observing

SQUARE: Mapping[str, BaseDistribution] = {
    "x": FloatDistribution(0.0, 1.0),
    "y": FloatDistribution(0.0, 1.0),
}
# A momentum exists with SGD alone.
CONDITIONAL = Searched(
    {
        "optimizer": CategoricalDistribution(("adam", "sgd")),
        "learning_rate": FloatDistribution(1e-5, 1e-1, log=True),
        "momentum": FloatDistribution(0.5, 1.0),
    },
    {"momentum": {"optimizer": "sgd"}},
)


def study_of(
    searched: Searched,
    trials: list[tuple[dict[str, Any], float]],
    state: TrialState = TrialState.COMPLETE,
    direction: str = "minimize",
) -> optuna.Study:
    """A study with trials that have these values."""
    study = optuna.create_study(direction=direction)
    add(study, searched, trials, state)
    return study


def add(
    study: optuna.Study,
    searched: Searched,
    trials: list[tuple[dict[str, Any], float]],
    state: TrialState = TrialState.COMPLETE,
) -> None:
    """Add trials; the number beside a pruned one is what it reported at epoch 2."""
    for params, value in trials:
        study.add_trial(
            create_trial(
                state=state,
                value=value if state == TrialState.COMPLETE else None,
                params=params,
                distributions={name: searched.distributions[name] for name in params},
                intermediate_values={2: value} if state == TrialState.PRUNED else {},
            )
        )


def draw(study: optuna.Study, searched: Searched, seed: int = 1, **given: Any) -> dict[str, Any]:
    """The configuration that the next trial draws."""
    return process(study, searched, seed=seed).draw(given)


def process(study: optuna.Study, searched: Searched, **asked: Any) -> GP:
    """The process that is asked for a draw, of the next trial where none is named."""
    observed = Observing(study)
    standard = {"number": observed.count, "seed": 1}
    return GP(DrawRequest(observed=observed, searched=searched, **standard | asked))


def points_in(searched: Searched, count: int, seed: int = 0) -> tuple[Space, Floats]:
    """Random points of a space, and their coordinates: (count, coordinates)."""
    encoding = Encoding.of(searched)
    random = np.random.default_rng(seed)
    points = encoding.masked(encoding.spread(random.random((count, len(encoding.columns)))))
    space = Space.around(encoding, points)
    return space, space.embed(points)
