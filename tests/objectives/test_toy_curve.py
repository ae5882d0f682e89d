"""Tests of the objective that stands in for a network."""

import math
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from objectives.contract import Attempt, DataSource
from objectives.files.checkpoints import newest_good
from objectives.toy_curve import train


def attempt(folder: Path, **more) -> Attempt:
    folder.mkdir(exist_ok=True)
    return Attempt(folder=folder, data=DataSource(layout={"kind": "none"}), **more)


def curve(config, attempt: Attempt) -> list[dict[str, float]]:
    return [dict(result.metrics) for result in train(config, attempt)]


def test_the_seed_and_the_configuration_decide_the_curve(tmp_path: Path) -> None:
    curves = [curve({"epochs": 4}, attempt(tmp_path, seed=seed)) for seed in (1, 1, 2)]
    assert curves[0] == curves[1] != curves[2]


def test_a_resumed_curve_yields_what_it_carries_and_goes_on_as_if_undisturbed(
    tmp_path: Path,
) -> None:
    whole = curve({"epochs": 6}, attempt(tmp_path / "whole"))
    list(islice(train({"epochs": 6}, attempt(tmp_path / "first")), 3))
    checkpoint = newest_good([tmp_path / "first"])
    assert curve({"epochs": 6}, attempt(tmp_path / "second", resume_from=checkpoint)) == whole


def test_the_best_learning_rate_is_near_one_hundredth(tmp_path: Path) -> None:
    rates = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    finals = [
        curve({"learning_rate": rate, "noise": 0.0}, attempt(tmp_path))[-1]["val_loss"]
        for rate in rates
    ]
    assert rates[finals.index(min(finals))] == 1e-2


def test_it_fails_and_diverges_where_it_is_told_to(tmp_path: Path) -> None:
    told = train({"epochs": 3, "diverge_at": 2, "fail_at": 3}, attempt(tmp_path))
    assert [math.isnan(result.metrics["val_loss"]) for result in islice(told, 2)] == [False, True]
    with pytest.raises(RuntimeError, match="fails at epoch 3"):
        next(told)


def test_every_step_is_a_sign_of_life(tmp_path: Path) -> None:
    steps: list[int] = []
    curve({"epochs": 2}, attempt(tmp_path, progress=lambda: steps.append(1)))
    assert len(steps) == 20


def test_with_folds_one_curve_follows_the_other_and_each_epoch_says_where_it_stands(
    tmp_path: Path,
) -> None:
    results = list(train({"epochs": 2, "noise": 0.0}, in_folds(tmp_path, folds=3)))
    places = [tuple(each.metrics[name] for name in PLACE) for each in results]
    assert [each.epoch for each in results] == [1, 2, 3, 4, 5, 6]
    assert places == [(1, 1, 0), (1, 2, 1), (2, 1, 1), (2, 2, 2), (3, 1, 2), (3, 2, 3)]
    losses = [each.metrics["val_loss"] for each in results]
    assert losses[0] < losses[2] < losses[4]  # begun anew, and each fold harder than the last
    assert losses[0] > losses[3]


def test_folds_resumed_within_the_second_go_on_as_if_undisturbed(tmp_path: Path) -> None:
    whole = [each.metrics for each in train({"epochs": 3}, in_folds(tmp_path / "whole", folds=2))]
    list(islice(train({"epochs": 3}, in_folds(tmp_path / "first", folds=2)), 4))
    checkpoint = newest_good([tmp_path / "first"])
    resumed = in_folds(tmp_path / "second", folds=2, resume_from=checkpoint)
    assert [each.metrics for each in train({"epochs": 3}, resumed)] == whole


PLACE = ("fold", "fold_epoch", "folds_done")


def in_folds(folder: Path, folds: int, **more) -> Attempt:
    whole = attempt(folder, **more)
    return replace(whole, data=replace(whole.data, folds=folds))
