"""What an exception, and what a loss, stands for."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import optuna
import pytest
import torch

from objectives.contract import Attempt, EpochResult
from search.outcomes import Failed, HandedBack, diverged, failure
from search.patience import Patience
from search.trial import Trial, run_trial
from search.worker import settle
from storage.leases import CUDA_ERROR
from storage.store import Store
from tests.search.toy_worker import make_worker, take


def test_a_cuda_error_hands_the_trial_back_for_the_process_is_of_no_more_use() -> None:
    error = getattr(torch, "AcceleratorError", RuntimeError)("CUDA error: an illegal access")
    outcome = failure(raised(error))
    assert isinstance(outcome, HandedBack)
    assert outcome.reason == CUDA_ERROR
    assert "an illegal access" in str(outcome.detail)


def test_memory_that_ran_out_is_no_broken_process() -> None:
    outcome = failure(raised(torch.OutOfMemoryError("CUDA error: out of memory")))
    assert isinstance(outcome, Failed)
    assert outcome.kind == "out_of_memory"


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_diverged(loss: float) -> None:
    found = diverged(3, ["train_loss"], {"train_loss": 2.0}, {"train_loss": loss})
    assert found == Failed("diverged", f"train_loss is {loss} at epoch 3")


@pytest.mark.parametrize(("first", "now"), [(2.0, 999.0), (362.0, 1100.0), (0.01, 5.0)])
def test_a_loss_that_may_come_back_did_not_diverge(first: float, now: float) -> None:
    assert diverged(3, ["train_loss"], {"train_loss": first}, {"train_loss": now}) is None


def test_an_exploded_loss_is_told_so_that_the_sampler_ranks_it_last(
    store: Store, tmp_path: Path
) -> None:
    def explode(config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
        for epoch, loss in enumerate((2.0, 3.0, 1e9, 2.0), start=1):
            yield EpochResult(epoch, {"val_loss": 0.5, "train_loss": loss}, 0.1, 10)

    worker = make_worker(store, tmp_path)
    claim = take(worker)
    (tmp_path / "studies/toy/trials/0/attempt-1").mkdir(parents=True)
    trial = Trial(worker.study, claim, store, worker.study.config({}), list, Patience(bool))

    outcome = run_trial(trial, explode, Attempt(tmp_path, worker.data), lambda: False)
    settle(worker, claim, outcome)

    row, frozen = store.trials("toy")[0], store.optuna_study("toy").trials[0]
    assert (row.outcome, row.detail) == ("diverged", "train_loss went from 2 to 1e+09 at epoch 3")
    assert frozen.state == optuna.trial.TrialState.PRUNED
    assert math.isnan(frozen.intermediate_values[3])
    assert store.epochs("toy", 0)[2].metrics["val_loss"] == 0.5


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:  # noqa: BLE001 - any will do
        return caught
