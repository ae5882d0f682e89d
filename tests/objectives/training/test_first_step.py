"""The step that all trials of a study share: the same to the bit until something else is read."""

from pathlib import Path
from typing import Any

import pytest

from objectives import catalog
from objectives.contract import Attempt, DataSource

CONFIG = {
    "backbone": "small_cnn",
    "image_size": 16,
    "batch_size": 16,
    "max_train_samples": 64,
    "max_val_samples": 20,
    "epochs": 1,
    "warmup_epochs": 0,
}


def first(folder: Path, *, seed: int = 1, study: int = 17, **more: Any) -> dict[str, float]:
    folder.mkdir(exist_ok=True)
    attempt = Attempt(
        folder=folder, data=DataSource(layout={"kind": "digits"}, split_seed=study), seed=seed
    )
    train = catalog.load("image_classifier")
    metrics = next(iter(train({**CONFIG, **more}, attempt))).metrics
    return {name: metrics[name] for name in ("first_loss", "first_step")}


def test_trials_of_a_study_share_it_whatever_their_seeds(tmp_path: Path) -> None:
    shared = first(tmp_path, seed=1, dropout=0.3, augmentation="strong")
    assert first(tmp_path, seed=2, dropout=0.3, augmentation="strong") == shared
    assert first(tmp_path, study=18, dropout=0.3, augmentation="strong") != shared


def test_it_shows_what_it_is_declared_to_show(tmp_path: Path) -> None:
    changes = {
        "learning_rate": 1.01e-4,
        "optimizer": "sgd",
        "head_multiple": 2.0,
        "layer_decay": 0.9,
        "backbone": "resnet18",
        "image_size": 20,
        "augmentation": "shift",
        "batch_size": 15,
        "head": "hidden",
        "dropout": 0.1,
        "label_smoothing": 0.01,
        "weighted_sampler": True,
        "balancing": "class_weights",
        "ldam": True,
    }
    plain = first(tmp_path)
    for name, value in changes.items():
        changed = first(tmp_path, **{name: value})
        for metric, known in catalog.describe("image_classifier").metrics.items():
            if metric in plain and name in known["changed_by"]:
                assert changed[metric] != plain[metric], (name, metric)


@pytest.mark.parametrize(
    ("beside", "name", "values"),
    [
        ({"ldam": True}, "ldam_max_margin", (0.5, 0.51)),
        ({"ldam": True}, "ldam_scale", (30.0, 29.0)),
        ({"head": "hidden"}, "hidden_units", (64, 65)),
        ({"balancing": "ldam_drw"}, "drw_beta", (0.9, 0.99)),
        ({"epochs": 2, "frozen_epochs": 1}, "learning_rate", (1e-4, 1.01e-4)),
        ({"optimizer": "sgd"}, "learning_rate", (1e-6, 1.01e-6)),
    ],
)
def test_it_shows_what_acts_beside_something_else(
    tmp_path: Path, beside: dict[str, Any], name: str, values: tuple[Any, Any]
) -> None:
    one, other = (first(tmp_path, **beside, **{name: value}) for value in values)
    assert one["first_step"] != other["first_step"]


def test_what_needs_epochs_to_act_leaves_it_alone(tmp_path: Path) -> None:
    plain = first(tmp_path)
    assert first(tmp_path, epochs=5, schedule="plateau", patience=2, warmup_epochs=2) == plain
