"""Tests of learning from a table beside the images."""

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from objectives.contract import Attempt, DataError, DataSource
from objectives.data.manifest.manifest import read_manifest
from objectives.files.checkpoints import newest_good
from objectives.image_classifier import train
from objectives.models.classifier import build_classifier
from objectives.recipe.image import ImageRecipe
from objectives.sets.images import ImageSet
from objectives.sets.opened import open_images
from objectives.training.learning.optimizers import build_optimizer

pytestmark = pytest.mark.usefixtures("no_picture")

LAYOUT: dict[str, Any] = {
    "kind": "table",
    "table": "table.csv",
    "path": "image",
    "label": "dx",
    "metadata": {"age": "number", "itch": "category"},
}
CONFIG = {
    "backbone": "small_cnn",
    "image_size": 16,
    "batch_size": 16,
    "epochs": 4,
    "learning_rate": 3e-3,
    "head_multiple": 10.0,
    "augmentation": "none",
    "use_metadata": True,
    "metadata_units": 16,
}
FILLED = ["age", "age is missing", "itch is no", "itch is yes", "itch is another"]


@pytest.fixture(scope="module")
def lesions(tmp_path_factory: pytest.TempPathFactory) -> DataSource:
    """Noise with a table: older patients whose lesion itches have the one class, the rest not."""
    folder, random = tmp_path_factory.mktemp("lesions"), np.random.default_rng(2)
    lines = ["image,dx,age,itch"]
    for number in range(240):
        pixels = random.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:03d}.png")
        age, itches = random.normal(50, 15), random.random() < 0.5
        label = "bcc" if itches and age > 45 else "naevus"
        shown = "" if number % 20 == 0 else f"{age:.1f}"
        lines.append(f"{number:03d}.png,{label},{shown},{'yes' if itches else 'no'}")
    (folder / "table.csv").write_text("\n".join(lines) + "\n")
    return DataSource(layout=LAYOUT, folder=folder)


def attempt(folder: Path, data: DataSource, **more) -> Attempt:
    folder.mkdir(exist_ok=True)
    return Attempt(folder=folder, data=data, seed=3, threads=1, **more)


def opened(data: DataSource, fold: int = 1) -> tuple[ImageSet, ImageSet]:
    splits = open_images(Attempt(folder=Path(), data=data), 16, fold=fold, with_table=True)
    return splits["train"], splits["val"]


def test_what_only_the_table_tells_is_learned_with_it_and_not_without(
    lesions: DataSource, tmp_path: Path
) -> None:
    best = {}
    for use in (True, False):
        here = attempt(tmp_path / str(use), lesions)
        results = train({**CONFIG, "use_metadata": use}, here)
        best[use] = max(result.metrics["val_macro_auc"] for result in results)
    assert best[True] > 0.9
    assert best[False] < 0.75


def test_each_image_has_its_own_row(lesions: DataSource) -> None:
    rows = {row.path: row.metadata for row in read_manifest(lesions).rows}
    for images in opened(lesions):
        assert images.encoding is not None
        assert images.encoding.names == FILLED
        table = images.batch(torch.arange(len(images))).tabular
        assert table is not None
        itches = [rows[path][1] == "yes" for path in images.paths]
        assert table[:, 3].bool().tolist() == itches
        missing = [rows[path][0] is None for path in images.paths]
        assert table[:, 1].bool().tolist() == missing


@pytest.mark.parametrize("fold", [1, 2, 3])
def test_ages_are_standardised_by_the_training_rows_of_the_fold(
    lesions: DataSource, fold: int
) -> None:
    folds = replace(lesions, folds=3)
    rows = read_manifest(folds).split("train", fold)
    ages = np.array([row.metadata[0] for row in rows if row.metadata[0] is not None], dtype=float)
    for images in opened(folds, fold):
        assert images.encoding is not None
        age, _ = images.encoding.columns
        assert age.mean == pytest.approx(ages.mean())
        assert age.deviation == pytest.approx(ages.std())


def test_columns_of_text_are_for_other_code_and_not_learned(lesions: DataSource) -> None:
    metadata = {"image": "text", **LAYOUT["metadata"]}
    layout = {**LAYOUT, "metadata": metadata}

    images, _ = opened(replace(lesions, layout=layout))

    assert images.encoding == opened(lesions)[0].encoding
    assert read_manifest(replace(lesions, layout=layout)).summary.columns == ("age", "itch")


def test_a_sample_keeps_row_and_image_together(lesions: DataSource) -> None:
    whole, _ = opened(lesions)
    attempt, at_most = Attempt(folder=Path(), data=lesions), {"train": 40}
    sample = open_images(attempt, 16, at_most=at_most, with_table=True)["train"]
    assert len(sample) == 40
    where = {path: row for row, path in enumerate(whole.paths)}
    rows = torch.tensor([where[path] for path in sample.paths])
    assert sample.tabular is not None
    assert whole.tabular is not None
    assert sample.tabular.equal(whole.tabular[rows])
    assert sample.batch(torch.arange(40)).pixels.equal(whole.batch(rows).pixels)


def test_a_resumed_trial_with_a_table_equals_the_undisturbed_one_to_the_bit(
    lesions: DataSource, tmp_path: Path
) -> None:
    config = {**CONFIG, "metadata_dropout": 0.3, "micro_batch": 6, "ema_decay": 0.9}
    list(train(config, attempt(tmp_path / "whole", lesions)))
    list(islice(train(config, attempt(tmp_path / "first", lesions)), 2))
    checkpoint = newest_good([tmp_path / "first"])
    list(train(config, attempt(tmp_path / "second", lesions, resume_from=checkpoint)))
    whole, again = (torch.load(tmp_path / name / "best.pt") for name in ("whole", "second"))
    assert whole["epoch"] == again["epoch"]
    assert all(value.equal(again["model"][name]) for name, value in whole["model"].items())


def test_the_kept_weights_say_how_the_table_is_encoded(lesions: DataSource, tmp_path: Path) -> None:
    list(train({**CONFIG, "epochs": 1, "warmup_epochs": 0}, attempt(tmp_path, lesions)))
    kept = torch.load(tmp_path / "best.pt", weights_only=True)
    assert kept["table"]["names"] == FILLED
    assert kept["classes"] == ["bcc", "naevus"]
    assert kept["model"]["branch.0.weight"].shape == (16, len(FILLED))


def test_the_branch_learns_with_the_head_while_the_backbone_is_frozen() -> None:
    recipe = ImageRecipe(backbone="small_cnn", use_metadata=True, head_multiple=3.0)
    model = build_classifier(recipe, classes=2, table_width=5)
    model.learn(0)
    learning = {name.split(".")[0] for name, each in model.named_parameters() if each.requires_grad}
    assert learning == {"head", "branch"}
    rates = {
        id(parameter): group["lr"]
        for group in build_optimizer(recipe, model).param_groups
        for parameter in group["params"]
    }
    assert {rates[id(each)] for each in model.head_parameters()} == {3 * recipe.learning_rate}
    assert len(rates) == len(list(model.parameters()))


def test_a_network_without_a_table_has_no_branch_and_the_same_start() -> None:
    starts = []
    for recipe in (
        ImageRecipe(backbone="small_cnn"),
        ImageRecipe(backbone="small_cnn", metadata_units=7),
    ):
        torch.manual_seed(1)
        starts.append(build_classifier(recipe, classes=2).state_dict())
    assert starts[0].keys() == starts[1].keys()
    assert all(value.equal(starts[1][name]) for name, value in starts[0].items())


def test_a_table_that_is_not_there_is_refused_with_the_fix(tmp_path: Path) -> None:
    digits = DataSource(layout={"kind": "digits"})
    with pytest.raises(DataError, match=r"no table beside them.*set use_metadata to false"):
        next(train(CONFIG, attempt(tmp_path, digits)))


def test_weights_learned_beside_a_table_start_another_backbone(
    lesions: DataSource, tmp_path: Path
) -> None:
    short = {**CONFIG, "epochs": 1, "warmup_epochs": 0}
    list(train(short, attempt(tmp_path, lesions)))
    kept = torch.load(tmp_path / "best.pt", weights_only=True)["model"]
    recipe = ImageRecipe(backbone="small_cnn", weights=str(tmp_path / "best.pt"))
    started = build_classifier(recipe, classes=5).backbone.state_dict()
    assert all(value.equal(kept[f"backbone.{name}"]) for name, value in started.items())
