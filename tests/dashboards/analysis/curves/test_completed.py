"""The completed trials that a trial is compared with, and those of other programs among them."""

from pathlib import Path

import optuna
import pytest
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

from dashboards.analysis.curves.completed import completed_curves
from dashboards.analysis.distributions import distributions
from spaces.params import Float, Int
from storage.store import Store
from tests.search.toy_worker import make_worker
from tests.storage.samples import stock_study

SPACE: dict[str, BaseDistribution] = {
    "epochs": IntDistribution(2, 4),
    "learning_rate": FloatDistribution(1e-5, 1.0, log=True),
}
WHOLE = {"epochs": 2, "learning_rate": 0.1}


@pytest.mark.parametrize("order", [("epochs", "learning_rate"), ("learning_rate", "epochs")])
def test_a_trial_that_lacks_a_parameter_is_not_compared_whichever_it_is(
    store: Store, tmp_path: Path, order: tuple[str, str]
) -> None:
    declared = {
        "epochs": Int("epochs", 2, 4),
        "learning_rate": Float("learning_rate", 1e-5, 1, log=True),
    }
    space, fixed = [declared[name] for name in order], {"seconds_per_epoch": 0.0}
    worker = make_worker(store, tmp_path, space=space, fixed=fixed)
    for params in (WHOLE, {"epochs": 2}, {"learning_rate": 0.1}):
        stock_study(store).add_trial(
            optuna.create_trial(
                params=params,
                distributions={name: SPACE[name] for name in params},
                value=0.5,
                intermediate_values={1: 0.75, 2: 0.5},
            )
        )
    found = completed_curves(worker.stored, distributions(worker.study.space), store.arrays("toy"))
    assert found.epochs.tolist() == [2, 0, 0]
