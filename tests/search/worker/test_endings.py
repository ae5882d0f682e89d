"""The endings that exceptions and losses lead to."""

import math
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import optuna
import pytest
import torch

from objectives import catalog
from objectives.contract import Attempt, EpochResult, OutOfMemory
from objectives.script.failures import failure_of
from search.samplers.choose import sampler_for
from search.worker.attempt import others_of
from search.worker.endings import (
    Ending,
    Failed,
    HandedBack,
    Pruned,
    Settled,
    diverged,
    failure,
    out_of_range,
)
from search.worker.settle import settle
from search.worker.trial import Trial, run_trial
from search.worker.worker import Worker
from spaces.params import Choice
from storage.rows import HandBackReason, Outcome
from storage.store import Store
from tests.search.toy_worker import end, lease, make_worker, take
from tests.storage.samples import ended

EPOCHS_SEARCHED: dict[str, Any] = {
    "fixed": {},
    "space": [Choice("epochs", (5, 10, 20, 40))],
    "enqueue": [{"epochs": epochs} for epochs in (5, 10, 20, 40)],  # after the mode, which is 5
}


def test_a_cuda_error_hands_the_trial_back_for_the_process_is_of_no_more_use() -> None:
    error = getattr(torch, "AcceleratorError", RuntimeError)("CUDA error: an illegal access")
    outcome = failure(raised(error))
    assert isinstance(outcome, HandedBack)
    assert outcome.reason == HandBackReason.CUDA_ERROR
    assert "an illegal access" in str(outcome.detail)


@pytest.mark.parametrize(
    ("metrics", "detail"),
    [
        (
            {"val_loss": 0.4, "val_top1": 96.8},
            "val_top1 is 96.8, above 1; mend what reports it: a fraction, not a percentage (O02)",
        ),
        ({"val_loss": -0.1}, "val_loss is -0.1, below 0; mend what reports it (O02)"),
    ],
)
def test_a_metric_out_of_its_range_fails_the_trial_and_says_by_which_rule(
    metrics: dict[str, float], detail: str
) -> None:
    known = catalog.describe("image_classifier").metrics
    assert out_of_range(metrics, known) == Failed(
        outcome=Outcome.METRIC_OUT_OF_RANGE, detail=detail
    )


@pytest.mark.parametrize("kind", [torch.OutOfMemoryError, RuntimeError])
def test_memory_that_ran_out_is_no_broken_process(kind: type[Exception]) -> None:
    outcome = failure(raised(kind("CUDA error: out of memory")))
    assert isinstance(outcome, Failed)
    assert outcome.outcome == Outcome.OUT_OF_MEMORY


def test_a_scripts_failure_keeps_its_line_its_output_and_what_makes_it_the_same() -> None:
    outcome = failure(raised(failure_of("train.py", 3, "epoch 1\nValueError: at 7\n")))
    assert outcome == Failed(
        outcome=Outcome.CODE_ERROR,
        detail="train.py ended with exit code 3: ValueError: at 7",
        where="train.py ended with exit code 3: ValueError: at #",
        report="train.py ended with exit code 3: ValueError: at 7\n\nepoch 1\nValueError: at 7\n",
    )


def test_a_script_out_of_memory_is_no_broken_code() -> None:
    outcome = failure(raised(failure_of("train.py", 1, "torch.OutOfMemoryError: CUDA")))
    assert isinstance(outcome, Failed)
    assert outcome.outcome == Outcome.OUT_OF_MEMORY


def test_the_trial_of_a_script_that_somebody_killed_goes_on() -> None:
    outcome = failure(raised(failure_of("train.py", -9, "")))
    assert outcome == HandedBack(
        HandBackReason.KILLED, "train.py ended by SIGKILL: it wrote nothing"
    )


def test_the_objectives_own_word_for_full_memory_is_understood() -> None:
    outcome = failure(raised(OutOfMemory("not even one image at a time fits")))
    assert isinstance(outcome, Failed)
    assert outcome.outcome == Outcome.OUT_OF_MEMORY


def test_a_host_whose_memory_is_full_is_no_broken_code() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**55)  # more than any machine may promise

    outcome = failure(caught.value)

    assert isinstance(outcome, Failed)
    assert outcome.outcome == Outcome.OUT_OF_MEMORY


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_diverged(loss: float) -> None:
    found = diverged(3, ["train_loss"], {"train_loss": 2.0}, {"train_loss": loss})
    assert found == Failed(outcome=Outcome.DIVERGED, detail=f"train_loss is {loss} at epoch 3")


@pytest.mark.parametrize(
    ("first_loss", "first_step", "cause"),
    [
        (math.nan, math.nan, "data or weights are the cause, see `search check`"),
        (0.7, math.inf, "after one step at the full learning rate: lower it"),
        (0.7, 0.6, "train_loss is nan at epoch 1"),
    ],
)
def test_a_divergence_names_its_cause_where_the_first_step_shows_it(
    first_loss: float, first_step: float, cause: str
) -> None:
    first = {"train_loss": math.nan, "first_loss": first_loss, "first_step": first_step}
    found = diverged(1, ["train_loss"], first, first)
    assert found is not None
    assert found.detail.endswith(cause)


@pytest.mark.parametrize(("first", "now"), [(2.0, 999.0), (362.0, 1100.0), (0.01, 5.0)])
def test_a_loss_that_may_come_back_did_not_diverge(first: float, now: float) -> None:
    assert diverged(3, ["train_loss"], {"train_loss": first}, {"train_loss": now}) is None


def test_an_exploded_loss_is_told_so_that_the_sampler_ranks_it_last(
    store: Store, tmp_path: Path
) -> None:
    def explode(config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
        for epoch, loss in enumerate((2.0, 3.0, 1e9, 2.0), start=1):
            yield EpochResult(
                epoch=epoch, metrics={"val_loss": 0.5, "train_loss": loss}, seconds=0.1, images=10
            )

    worker = make_worker(store, tmp_path)
    leased = lease(worker)
    leased.folder.mkdir(parents=True)
    trial = Trial(leased=leased, config=worker.stored.config({}), others=others_of(leased))

    ending = run_trial(trial, explode, Attempt(folder=tmp_path, data=worker.data))
    settle(leased, Settled(ending, trial.config, trial.epochs))

    row, frozen = store.trials("toy")[0], store.optuna_study("toy").trials[0]
    assert (row.outcome, row.detail) == ("diverged", "train_loss went from 2 to 1e+09 at epoch 3")
    assert frozen.state == optuna.trial.TrialState.PRUNED
    assert math.isnan(frozen.intermediate_values[3])
    assert store.epochs("toy", 0)[2].metrics["val_loss"] == 0.5


def test_the_sampler_stays_away_from_where_memory_ended(store: Store, tmp_path: Path) -> None:
    # Without the constraint the trial that came furthest would be the one to imitate.
    worker = make_worker(store, tmp_path, trials=40, **EPOCHS_SEARCHED)
    for _ in range(4):
        tried(worker, Pruned(1, ""), reached=1)
    tried(worker, Failed(outcome=Outcome.OUT_OF_MEMORY, detail="80 GiB"), reached=3)

    suggested = [draw(worker, number)["epochs"] for number in range(8, 32)]

    assert store.optuna_study("toy").trials[4].constraints == {"memory": 1.0}
    assert suggested.count(40) < len(suggested) / 4


def tried(worker: Worker, ending: Ending, reached: int) -> None:
    """Let the next trial of the queue come so far and end so."""
    leased = lease(worker)
    with worker.store.trial(leased.claim) as trial:
        worker.study.space.suggest(trial)
    leased.folder.mkdir(parents=True)
    for epoch in range(1, reached + 1):
        worker.store.record(leased.claim, epoch, {"val_loss": 0.5}, 0.5, seconds=1.0, images=10)
    end(leased, ending)


def draw(worker: Worker, number: int) -> dict[str, Any]:
    """What TPE would try as that trial; told as a failure, of which it learns nothing."""
    claim, choose = take(worker), partial(sampler_for, worker.study, number)
    with worker.store.trial(claim, choose) as trial:
        drawn = dict(worker.study.space.suggest(trial))
    worker.store.tell(claim, ended("FAIL", "code_error"))
    return drawn


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:  # noqa: BLE001 - any will do
        return caught
