"""Tests of training on a GPU."""

from itertools import islice
from pathlib import Path

import pytest
import torch

from objectives import catalog
from objectives.contract import Attempt, DataSource, EpochResult
from objectives.files.checkpoints import newest_good
from objectives.image_classifier import train
from objectives.training.precision import autocast

pytestmark = pytest.mark.gpu

CONFIG = {
    "backbone": "resnet18",
    "image_size": 32,
    "batch_size": 32,
    "epochs": 4,
    "learning_rate": 3e-3,
    "augmentation": "shift",
}


def attempt(folder: Path, **more) -> Attempt:
    folder.mkdir(exist_ok=True)
    return Attempt(
        folder=folder, data=DataSource(layout={"kind": "digits"}), seed=7, device="cuda", **more
    )


def exact(results: list[EpochResult]) -> list[dict[str, float]]:
    metrics = catalog.describe("image_classifier").metrics
    return [
        {name: value for name, value in result.metrics.items() if metrics[name]["exact"]}
        for result in results
    ]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"ldam": True},
        {"weighted_sampler": True},
        {"ema_decay": 0.9, "head": "hidden", "dropout": 0.3, "augmentation": "strong"},
        {"frozen_epochs": 1, "trained_stages": 2, "epochs_per_stage": 1, "warmup_epochs": 0},
        {"balancing": "ldam_drw", "drw_start": 0.4, "micro_batch": 12, "optimizer": "sgd"},
    ],
)
def test_a_resumed_trial_equals_the_undisturbed_one_to_the_bit(tmp_path: Path, more) -> None:
    config = {**CONFIG, **more}
    whole = list(train(config, attempt(tmp_path / "whole")))
    list(islice(train(config, attempt(tmp_path / "first")), 2))
    checkpoint = newest_good([tmp_path / "first"])
    resumed = list(train(config, attempt(tmp_path / "second", resume_from=checkpoint)))
    assert exact(resumed) == exact(whole)


def test_bfloat16_reads_the_digits_right(tmp_path: Path) -> None:
    with autocast("auto", "cuda"):
        assert torch.get_autocast_dtype("cuda") == torch.bfloat16
        assert torch.is_autocast_enabled("cuda")
    *_, last = train(CONFIG, attempt(tmp_path))
    assert last.metrics["val_top1"] > 0.95
