"""The declared distributions are those with which drawn values are stored."""

import optuna

from dashboards.analysis.distributions import distributions
from spaces.params import Choice, Float, Int, Toggle
from spaces.priors import Prior
from spaces.space import Space

SPACE = Space(
    (
        Choice("model", {"small": 0.1, "large": 0.9, None: 0.2}),
        Float("rate", 1e-5, 1e-1, log=True, prior=Prior(1e-3, "high")),
        Float("dropout", 0, 0.5, when={"model": "small"}),
        Int("depth", 1, 64, log=True, when={"model": "large"}),
        Int("epochs", 3, 3),
        Toggle("flip", when={"model": "small"}),
    )
)


def test_every_kind_of_parameter_is_declared_as_a_trial_stores_it() -> None:
    declared, stored = distributions(SPACE), {}
    for model in ("small", "large"):
        study = optuna.create_study()
        study.enqueue_trial({"model": model})
        trial = study.ask()
        SPACE.suggest(trial)
        stored |= trial.distributions
    assert declared == stored
    assert tuple(declared) == SPACE.names
