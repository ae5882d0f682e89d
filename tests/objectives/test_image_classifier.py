"""Tests of training on real images: scikit-learn's scanned digits."""

import math
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.module import register_module_forward_pre_hook

from objectives import catalog
from objectives.contract import (
    Attempt,
    DataError,
    DataSource,
    EpochResult,
    OutOfMemory,
    RecipeError,
)
from objectives.files.checkpoints import newest_good
from objectives.image_classifier import ImageTask, train
from objectives.models.classifier import Classifier, build_classifier
from objectives.recipe.image import ImageRecipe
from objectives.sets.opened import SealedSplit, open_images
from objectives.training.feed.feed import validation_feed
from objectives.training.records.pooled import POOLED

pytestmark = pytest.mark.usefixtures("no_picture")

DIGITS = DataSource(layout={"kind": "digits"})
QUICK = {
    "backbone": "small_cnn",
    "image_size": 16,
    "batch_size": 64,
    "epochs": 3,
    "learning_rate": 3e-3,
    "augmentation": "shift",
}
# Four steps of an epoch, for what the number of images does not change.
SMALL = {**QUICK, "max_train_samples": 200, "max_val_samples": 50}


def attempt(folder: Path, **more) -> Attempt:
    folder.mkdir(exist_ok=True)
    return Attempt(folder=folder, data=DIGITS, seed=7, threads=1, **more)


def exact(results: list[EpochResult]) -> list[dict[str, float]]:
    metrics = catalog.describe("image_classifier").metrics
    return [
        {name: value for name, value in result.metrics.items() if metrics[name]["exact"]}
        for result in results
    ]


@pytest.mark.parametrize(
    "more",
    [
        {"max_train_samples": 0, "max_val_samples": 0, "epochs": 2},
        {"ldam": True},
        {"weighted_sampler": True},
        {"precision": "bfloat16"},
        {"ema_decay": 0.9, "head": "hidden", "dropout": 0.3},
        {"frozen_epochs": 1, "trained_stages": 2, "epochs_per_stage": 1, "warmup_epochs": 0}
        | {"schedule": "plateau", "plateau_patience": 0},
        {"balancing": "ldam_drw", "drw_start": 0.4, "micro_batch": 24, "clip_norm": 1.0}
        | {"optimizer": "sgd", "layer_decay": 0.7},
        {"augmentation": "strong", "optimizer": "rmsprop_tf", "learning_rate": 1e-3},
        {"backbone": "resnet18", "epochs": 2, "max_train_samples": 70, "max_val_samples": 20},
    ],
)
def test_a_resumed_trial_equals_the_undisturbed_one_to_the_bit(tmp_path: Path, more) -> None:
    config = {**SMALL, **more}
    whole = list(train(config, attempt(tmp_path / "whole")))
    killed = list(islice(train(config, attempt(tmp_path / "first")), config["epochs"] - 1))
    checkpoint = newest_good([tmp_path / "first"])
    resumed = list(train(config, attempt(tmp_path / "second", resume_from=checkpoint)))
    assert resumed[:-1] == killed
    assert exact(resumed) == exact(whole)
    kept = [torch.load(tmp_path / name / "best.pt") for name in ("whole", "second")]
    assert kept[0]["epoch"] == kept[1]["epoch"]
    assert all(kept[0]["model"][name].equal(value) for name, value in kept[1]["model"].items())


def test_only_what_is_unfrozen_moves_batchnorm_statistics_included(tmp_path: Path) -> None:
    config = {**SMALL, "frozen_epochs": 1, "trained_stages": 1, "warmup_epochs": 0}
    torch.manual_seed(7)
    start = build_classifier(ImageRecipe.from_config(config), classes=10).state_dict()
    results = train(config, attempt(tmp_path))
    moved = []
    for _ in range(2):
        next(results)
        (newest,) = tmp_path.glob(f"epoch-{len(moved) + 1:04d}-*.ckpt")
        now = torch.load(newest)["model"]
        moved.append({name for name, value in start.items() if not value.equal(now[name])})
    assert {name.split(".")[0] for name in moved[0]} == {"head"}
    assert {name.split(".")[2] for name in moved[1] if name.startswith("backbone")} == {"3"}


def test_the_averaged_weights_are_what_is_validated_and_kept(tmp_path: Path) -> None:
    config = {**QUICK, "ema_decay": 0.99, "epochs": 2}
    list(train(config, attempt(tmp_path)))
    (newest,) = tmp_path.glob("epoch-0002-*.ckpt")
    state, kept = torch.load(newest), torch.load(tmp_path / "best.pt")["model"]
    weight = "backbone.layers.0.0.weight"
    assert kept[weight].equal(state["average"][f"module.{weight}"])
    assert not kept[weight].equal(state["model"][weight])


def test_a_sample_is_trained_on_and_validated_on(tmp_path: Path) -> None:
    result = next(train(SMALL, attempt(tmp_path)))
    assert result.images == 200
    assert result.metrics["val_top1"] * 50 == pytest.approx(round(result.metrics["val_top1"] * 50))


def test_statistics_are_estimated_in_the_parts_that_were_trained(tmp_path: Path) -> None:
    # Of 21 images at 20 at once a single one would be left over, which BatchNorm refuses at 1x1.
    config = {**QUICK, "backbone": "resnet18", "image_size": 32, "epochs": 1, "warmup_epochs": 0}
    sizes = {"batch_size": 21, "micro_batch": 20, "max_train_samples": 42, "max_val_samples": 30}
    result = next(train({**config, **sizes}, attempt(tmp_path)))
    assert math.isfinite(result.metrics["val_loss"])


@pytest.mark.full  # minutes of compiling
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiled_network_gives_what_a_plain_one_gives(tmp_path: Path) -> None:
    config = {**QUICK, "max_train_samples": 128, "max_val_samples": 100}
    plain, compiled = (
        next(train({**config, "compile": each}, attempt(tmp_path / str(each)))).metrics
        for each in (False, True)
    )
    assert compiled["val_cross_entropy"] == pytest.approx(plain["val_cross_entropy"], rel=1e-3)


@pytest.mark.slow
def test_two_epochs_read_most_digits_right(tmp_path: Path) -> None:
    config = {**QUICK, "image_size": 32, "batch_size": 32, "epochs": 2}
    *_, last = train(config, attempt(tmp_path))
    assert last.metrics["val_top1"] > 0.95
    assert last.metrics["val_loss"] < 0.2
    assert last.images == 1283


def test_it_reports_exactly_the_metrics_of_the_catalog_within_their_ranges(tmp_path: Path) -> None:
    described = catalog.describe("image_classifier").metrics
    result = next(train(QUICK, attempt(tmp_path)))
    of_folds = {"fold", "fold_epoch", "folds_done", *POOLED}
    assert set(result.metrics) == set(described) - of_folds
    for name, value in result.metrics.items():
        assert described[name]["low"] <= value <= (described[name]["high"] or math.inf)


def test_an_epochs_learning_rate_is_that_of_its_last_step(tmp_path: Path) -> None:
    config = {
        **QUICK,
        "epochs": 2,
        "warmup_epochs": 1,
        "frozen_epochs": 0,
        "max_train_samples": 320,
    }
    config |= {"head_multiple": 3.0, "schedule": "constant"}
    rates = [result.metrics["learning_rate"] for result in train(config, attempt(tmp_path))]
    assert rates == pytest.approx([9e-3, 9e-3])


def test_the_kept_weights_give_the_kept_logits(tmp_path: Path) -> None:
    here = attempt(tmp_path)
    results = list(train(QUICK, here))
    recipe = ImageRecipe.from_config(QUICK)
    kept, logits = torch.load(tmp_path / "best.pt"), np.load(tmp_path / "best_logits.npz")
    model = build_classifier(recipe, classes=10)
    model.load_state_dict(kept["model"])
    validation = open_images(Attempt(folder=Path(), data=DIGITS), recipe.image_size)["val"]
    feed = validation_feed(validation, ImageTask(recipe), here, normalization=model.normalization)
    again = torch.cat([model.eval()(*batch.inputs) for batch in feed])
    losses = [result.metrics["val_loss"] for result in results]
    assert kept["epoch"] == logits["epoch"] == losses.index(min(losses)) + 1
    np.testing.assert_allclose(logits["logits"], again.detach(), atol=0.01)
    assert logits["labels"].tolist() == validation.labels.tolist()


def test_training_ends_early_when_patience_runs_out(tmp_path: Path) -> None:
    config = {**SMALL, "epochs": 30, "learning_rate": 1e-8, "patience": 1}
    losses = [result.metrics["val_loss"] for result in train(config, attempt(tmp_path))]
    assert len(losses) < 30
    assert losses[-1] >= min(losses[:-1])


def test_a_diverged_network_yields_nan_and_does_not_raise(tmp_path: Path) -> None:
    # Decay of 10 x 1.0 turns every weight into -9 times itself, step after step.
    more = {"learning_rate": 10.0, "weight_decay": 1.0, "warmup_epochs": 0, "batch_size": 16}
    result = next(train({**QUICK, **more}, attempt(tmp_path)))
    names = ("train_loss", "val_loss", "val_cross_entropy", "val_criterion", "val_top1")
    assert all(math.isnan(result.metrics[name]) for name in names)


def test_every_step_and_validation_batch_is_a_sign_of_life(tmp_path: Path) -> None:
    signs: list[int] = []
    here = attempt(tmp_path, progress=lambda: signs.append(1))
    open_images(
        Attempt(folder=Path(), data=DIGITS), QUICK["image_size"]
    )  # decoding counts too, and is done once
    next(train(QUICK, here))
    assert len(signs) == math.ceil(1283 / 64) + math.ceil(257 / 256)


def test_an_attempt_without_the_validation_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SealedSplit):
        next(train(QUICK, attempt(tmp_path, splits=("train",))))


def test_bad_configurations_and_bad_data_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="did you mean 'epochs'"):
        next(train({**QUICK, "epoch": 3}, attempt(tmp_path)))
    nowhere = DataSource(layout={"kind": "class_folders"}, folder=tmp_path / "nowhere")
    with pytest.raises(DataError, match="no such folder"):
        next(train(QUICK, Attempt(folder=tmp_path, data=nowhere)))


@pytest.fixture
def learned_at_once() -> Iterator[set[int]]:
    """Yield the numbers of images from which any BatchNorm has learned at once."""
    counts: set[int] = set()

    def note(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if isinstance(module, _BatchNorm) and module.training:
            counts.add(len(inputs[0]))

    hook = register_module_forward_pre_hook(note)
    yield counts
    hook.remove()


@pytest.mark.parametrize(
    "more",
    [
        {"batch_size": 2},
        {"batch_size": 2, "ema_decay": 0.9, "max_train_samples": 19},
        {"batch_size": 3, "micro_batch": 2},
        {"batch_size": 16, "micro_batch": 2},
        {"batch_size": 17, "micro_batch": 2},
        {"batch_size": 13, "micro_batch": 4, "max_train_samples": 13},
    ],
)
def test_batchnorm_never_learns_from_a_single_image(
    tmp_path: Path, learned_at_once: set[int], more: dict[str, object]
) -> None:
    config = {**QUICK, "epochs": 1, "warmup_epochs": 0, "max_train_samples": 17, **more}
    (result,) = train({**config, "max_val_samples": 11}, attempt(tmp_path))
    assert result.images == config["max_train_samples"]
    assert math.isfinite(result.metrics["train_loss"])
    assert min(learned_at_once) >= 2


def test_where_two_images_do_not_fit_batchnorm_is_not_given_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short_of_memory(self: Classifier, images: Tensor, tabular: Tensor | None = None) -> Tensor:
        raise MemoryError(f"{len(images)} images")

    monkeypatch.setattr(Classifier, "forward", short_of_memory)
    with pytest.raises(OutOfMemory, match=r"a second one that BatchNorm needs \(2 images\)"):
        next(train(QUICK, attempt(tmp_path)))


def test_a_network_without_batchnorm_may_learn_from_one_image_at_a_time(tmp_path: Path) -> None:
    config = {**QUICK, "backbone": "convnextv2_atto", "image_size": 32, "micro_batch": 1}
    small = {"batch_size": 3, "max_train_samples": 10, "max_val_samples": 10, "epochs": 1}
    (result,) = train({**config, **small, "warmup_epochs": 0}, attempt(tmp_path))
    assert result.metrics["micro_batch"] == 1
