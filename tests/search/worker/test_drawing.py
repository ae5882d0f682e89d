"""The values of a trial: how they are drawn, and what becomes of one whose values fail."""

import math
from collections import Counter
from pathlib import Path

import optuna
import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState

from search.errors import StudyBroken
from search.worker.endings import Failed, Finished, Pruned
from search.worker.loop import work
from spaces.params import Choice, Float
from spaces.priors import Prior
from spaces.study import Pruning
from storage.engine.changes import WAYS
from storage.rows import Way
from storage.store import Store
from tests.search.toy_worker import attempt, make_worker
from tests.storage.samples import stock_study


def test_no_trial_of_an_option_is_pruned_until_it_has_the_finished_trials_of_its_guarantee(
    store: Store, tmp_path: Path
) -> None:
    rate = Float("learning_rate", 1e-5, 1.0, log=True)
    worker = make_worker(
        store,
        tmp_path,
        trials=20,
        fixed={"seconds_per_epoch": 0.0},
        space=[Choice("epochs", (5, 6)), rate],
        at_least={"epochs": 10},
    )

    work(worker)

    rows = store.trials("toy")
    assert {row.outcome for row in rows} == {"finished"}
    assert Counter(row.params["epochs"] for row in rows) == {5: 10, 6: 10}


def test_every_trial_keeps_how_it_was_drawn_and_a_believed_prior_is_named(
    store: Store, tmp_path: Path
) -> None:
    prior = Prior(0.01, "high")  # the toy's best rate
    rate = Float("learning_rate", 1e-6, 10.0, log=True, prior=prior)
    worker = make_worker(store, tmp_path, trials=12, space=[rate], pruning=Pruning("none"))

    work(worker)

    ways = [WAYS[way] for way in store.arrays("toy").ways]
    assert ways[:4] == [Way.ENQUEUED, Way.UNIFORM, Way.PRIOR, Way.UNIFORM]
    assert Way.MODEL_WITH_PRIOR in ways[4:]
    assert set(ways[4:]) <= {Way.UNIFORM, Way.MODEL_WITH_PRIOR}
    why = store.draws("toy").why
    assert why["believed"] == ["learning_rate"]
    assert why["trust"]["learning_rate"] > 0.5 < why["record"]


@pytest.mark.filterwarnings("ignore:Fixed parameter")
@pytest.mark.parametrize("value", ["fast", None, math.nan, 50.0])
def test_values_that_a_person_queued_and_no_trial_can_have_fail_that_trial_alone(
    value: object, store: Store, tmp_path: Path
) -> None:
    worker = make_worker(store, tmp_path, trials=9)
    attempt(worker)  # the study's own first trial
    queue = stock_study(store)
    for _ in range(4):  # one more than errors of the code that stop a study
        queue.enqueue_trial({"learning_rate": value})

    endings = [attempt(worker) for _ in range(5)]

    assert [ending.outcome for ending in endings[:4]] == ["code_error"] * 4  # type: ignore[union-attr]
    assert isinstance(endings[4], Finished)
    detail = store.trials("toy")[1].detail
    assert detail is not None
    assert "queued with values that cannot be used" in detail
    assert f"learning_rate {value!r}" in detail


def test_a_draw_that_always_fails_stops_the_study_as_broken_code_does(
    store: Store, tmp_path: Path
) -> None:
    worker = make_worker(store, tmp_path, trials=4)
    other = {"learning_rate": CategoricalDistribution(["slow", "fast"])}
    for _ in range(3):  # trials that another program began and left
        stock_study(store).add_trial(
            optuna.create_trial(
                state=TrialState.RUNNING, params={"learning_rate": "slow"}, distributions=other
            )
        )
    for _ in range(2):
        attempt(worker)
    with pytest.raises(StudyBroken, match="different distribution kind"):
        attempt(worker)


@pytest.mark.parametrize("error", [TypeError("no number"), OverflowError("too large")])
def test_an_error_of_the_sampler_fails_its_trial_in_a_line_and_the_worker_goes_on(
    error: Exception, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = make_worker(store, tmp_path, trials=9)
    attempt(worker)  # which the study had queued

    def fail(*_: object) -> None:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr("search.worker.attempt.sampler_for", fail)
        ending = attempt(worker)

    assert isinstance(ending, Failed)
    assert ending.detail.endswith(f"test_drawing.py:{fail.__code__.co_firstlineno + 1}: {error}")
    assert isinstance(attempt(worker), Finished)


def test_a_trial_with_options_that_the_study_does_not_declare_teaches_nothing(
    store: Store, tmp_path: Path
) -> None:
    worker = make_worker(store, tmp_path, trials=19)
    other = {"learning_rate": CategoricalDistribution(["slow", "fast"])}
    stock_study(store).add_trial(
        optuna.create_trial(params={"learning_rate": "slow"}, distributions=other, value=1.0)
    )
    # Two of them draw from what TPE learned.
    assert all(isinstance(attempt(worker), Finished | Pruned) for _ in range(10))
