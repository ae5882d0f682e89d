"""Tests of training on volumes: a tiny BraTS tree, a network of a quarter of the channels."""

import hashlib
import json
import math
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from objectives import catalog
from objectives.contract import Attempt, DataSource, EpochResult, RecipeError
from objectives.files.checkpoints import newest_good
from objectives.models.classifier import Classifier
from objectives.probes.cost import Cost
from objectives.recipe.volume import VolumeRecipe
from objectives.training.loop import validated_at_once
from objectives.training.probe import main as measure
from objectives.volume_classifier import VolumeTask, train
from tests.objectives.volume_files import write_tree

pytestmark = pytest.mark.usefixtures("no_picture")

QUICK = {
    "backbone": "resnet10_3d_quarter",
    "image_size": 16,
    "batch_size": 4,
    "epochs": 2,
    "learning_rate": 3e-3,
}
FOUR_MODALITIES = DataSource(layout={"kind": "brats", "modalities": ("t1", "t1ce", "t2", "flair")})
TWO_MODALITIES = DataSource(layout={"kind": "brats", "modalities": ("t1", "flair")})


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> DataSource:
    return write_tree(tmp_path_factory.mktemp("brats"))


@pytest.fixture
def attempt(tmp_path: Path, tree: DataSource) -> Callable[..., Attempt]:
    def new(name: str = "one", **more) -> Attempt:
        (tmp_path / name).mkdir(exist_ok=True)
        return Attempt(folder=tmp_path / name, data=tree, seed=7, cache=tmp_path / "cache", **more)

    return new


def exact(results: list[EpochResult]) -> list[dict[str, float]]:
    metrics = catalog.describe("volume_classifier").metrics
    return [
        {name: value for name, value in result.metrics.items() if metrics[name]["exact"]}
        for result in results
    ]


@pytest.mark.parametrize(
    "more",
    [
        {"balancing": "ldam_drw", "drw_start": 0.4, "ldam_scale": 12.0, "micro_batch": 3},
        {"balancing": "sampler", "dropout": 0.3, "label_smoothing": 0.1, "head_multiple": 2.0},
        {"balancing": "class_weights", "dilated": True, "augmentation": "none"},
    ],
)
def test_a_resumed_trial_equals_the_undisturbed_one_to_the_bit(
    attempt: Callable[..., Attempt], more: dict[str, object]
) -> None:
    config = {**QUICK, **more}
    whole = list(train(config, attempt("whole")))
    list(islice(train(config, attempt("first")), 1))
    checkpoint = newest_good([attempt("first").folder])
    resumed = list(train(config, attempt("second", resume_from=checkpoint)))
    assert exact(resumed) == exact(whole)
    assert all(math.isfinite(value) for value in resumed[-1].metrics.values())


def test_a_tumour_that_enhances_is_told_from_one_that_does_not(
    attempt: Callable[..., Attempt],
) -> None:
    results = list(train({**QUICK, "epochs": 6}, attempt()))
    assert max(result.metrics["val_macro_auc"] for result in results) > 0.9
    assert results[-1].metrics["train_loss"] < results[0].metrics["train_loss"]


def test_folds_are_trained_in_turn_out_of_one_decoding(attempt: Callable[..., Attempt]) -> None:
    one = attempt()
    folded = replace(one, data=replace(one.data, folds=2))
    results = list(train(QUICK, folded))
    assert [result.metrics["fold"] for result in results] == [1, 1, 2, 2]
    assert 0 <= results[-1].metrics["pooled_auc"] <= 1
    (decoded,) = one.cache.glob("*.npy")
    assert np.load(decoded, mmap_mode="r").shape == (18, 4, 16, 16, 16)


def test_only_what_is_unfrozen_moves_batchnorm_statistics_included(
    attempt: Callable[..., Attempt],
) -> None:
    config = {**QUICK, "frozen_epochs": 1, "trained_stages": 1, "warmup_epochs": 0}
    torch.manual_seed(7)
    start = VolumeTask(VolumeRecipe.from_config(config), 4).build(classes=2).state_dict()
    one = attempt()
    moved = []
    for epoch, _ in enumerate(train(config, one), start=1):
        (newest,) = one.folder.glob(f"epoch-{epoch:04d}-*.ckpt")
        now = torch.load(newest)["model"]
        moved.append({name for name, value in start.items() if not value.equal(now[name])})
    assert {name.split(".")[0] for name in moved[0]} == {"head"}
    assert {name.split(".")[1] for name in moved[1] if "backbone" in name} == {"layer4"}


def test_volumes_that_do_not_fit_into_memory_are_passed_in_parts(
    attempt: Callable[..., Attempt], monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = Classifier.forward

    def short_of_memory(self: Classifier, images, tabular=None):
        if self.training and len(images) > 2:
            raise MemoryError
        return forward(self, images, tabular)

    # Of 16 voxels the last stage has 1, from which BatchNorm cannot learn in a single volume.
    config = {**QUICK, "epochs": 1, "warmup_epochs": 0}
    asked = list(train({**config, "micro_batch": 2}, attempt("asked")))
    monkeypatch.setattr(Classifier, "forward", short_of_memory)
    short = list(train(config, attempt("short")))
    assert exact(short) == exact(asked)
    assert short[0].metrics["micro_batch"] == 2


@pytest.mark.parametrize(
    ("shape", "images"),
    [((3, 32, 32), 256), ((3, 224, 224), 256), ((4, 96, 96, 96), 10), ((4, 256, 256, 256), 1)],
)
def test_volumes_are_validated_few_at_a_time(shape: tuple[int, ...], images: int) -> None:
    assert validated_at_once(shape) == images


@pytest.fixture
def without_monai(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.split(".")[0] == "monai"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "monai", None)


@pytest.mark.usefixtures("without_monai")
def test_without_monai_the_error_says_what_to_install() -> None:
    with pytest.raises(RecipeError, match=r"pip install 'search\[volumes\]'"):
        VolumeTask(VolumeRecipe.from_config(QUICK), 4).build(classes=2)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"weights": "pretrained"}, r"weights is 'pretrained'; give it none or the path"),
        ({"backbone": "resnet50"}, r"backbone is 'resnet50'; choose one of .*resnet50_3d"),
        ({"batch_size": 1}, r"batch_size is 1; choose a value from 2"),
        ({"stem": "small"}, r"has no parameter 'stem'"),
    ],
)
def test_what_no_volume_classifier_takes_is_refused(more: dict[str, object], said: str) -> None:
    with pytest.raises(RecipeError, match=rf"^volume_classifier.*{said}"):
        catalog.check("volume_classifier", {**QUICK, **more})


def test_a_plain_network_needs_no_look_before_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere")
    assert catalog.preflight("volume_classifier", [QUICK], TWO_MODALITIES) == {}


@pytest.mark.usefixtures("no_child")  # which would load MONAI once more
def test_a_weights_file_is_recorded_before_a_search_and_a_wrong_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.pt"
    torch.save(VolumeTask(VolumeRecipe.from_config(QUICK), 4).build(2).state_dict(), path)
    config = {**QUICK, "weights": str(path)}
    records = catalog.preflight("volume_classifier", [config], FOUR_MODALITIES)
    assert records[catalog.weights_key(config)]["sha256"] == (
        hashlib.sha256(path.read_bytes()).hexdigest()
    )
    with pytest.raises(RecipeError, match=r"^volume_classifier: .* set backbone to the network"):
        catalog.preflight(
            "volume_classifier", [{**config, "backbone": "resnet10_3d"}], FOUR_MODALITIES
        )
    with pytest.raises(RecipeError, match=r"conv1.weight is .*x4x.* in the file and .*x2x"):
        catalog.preflight("volume_classifier", [config], TWO_MODALITIES)


def test_a_step_on_volumes_is_measured_for_a_plan(capsys: pytest.CaptureFixture[str]) -> None:
    question = {"objective": "volume_classifier", "configs": [QUICK], "classes": 2, "channels": 4}
    assert measure({**question, "device": "cpu", "share": 1.0}) == 0
    cost = Cost(**json.loads(capsys.readouterr().out))
    assert cost.step_seconds > 0
    assert cost.micro_batch == cost.measured_images == QUICK["batch_size"]
