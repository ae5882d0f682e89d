"""Tests of the objective that stands in for a network."""

import math
from itertools import islice
from pathlib import Path

import pytest

from objectives.checkpoints import newest_good
from objectives.contract import Attempt, DataSource
from objectives.toy_curve import train


def attempt(folder: Path, **more) -> Attempt:
    folder.mkdir(exist_ok=True)
    return Attempt(folder, DataSource({"kind": "none"}), **more)


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
    with pytest.raises(RuntimeError, match="fail at epoch 3"):
        next(told)


def test_every_step_is_a_sign_of_life(tmp_path: Path) -> None:
    steps: list[int] = []
    curve({"epochs": 2}, attempt(tmp_path, progress=lambda: steps.append(1)))
    assert len(steps) == 20
