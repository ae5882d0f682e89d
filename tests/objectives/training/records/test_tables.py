"""The records of a finished trial: tables to the number, the picture by its pixels."""

import csv
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from objectives.contract import Attempt, DataSource, EpochResult
from objectives.groups.table import read_groups
from objectives.sets.images import ImageSet
from objectives.training.measures.metrics import measure
from objectives.training.records.best import Best, take_best
from objectives.training.records.tables import keep_records
from search.worker.files import ARTIFACTS

CLASSES = ["naevus", 'mole, "atypical"', "melanoma"]
# True class by predicted class; no image is a melanoma.
LABELS = torch.tensor([0, 0, 0, 1, 1])
PREDICTED = torch.tensor([0, 0, 1, 1, 2])
RESULTS = [
    EpochResult(
        epoch=epoch,
        metrics={
            "val_loss": 1 / epoch,
            "val_top1": 0.6,
            "val_balanced_accuracy": 7 / 12,
            "train_loss": 2.0,
        },
        seconds=1.5,
        images=40,
    )
    for epoch in (1, 2, 3)
]


def best_of(labels: torch.Tensor, predicted: torch.Tensor, classes: list[str]) -> Best:
    # Images taken for different classes differ in confidence, so that rounding breaks no tie.
    logits = torch.nn.functional.one_hot(predicted, len(classes)) * (1.0 + predicted[:, None])
    groups = [f"patient {number}" for number in range(len(labels))]
    return Best(epoch=2, model={}, logits=logits, labels=labels, classes=classes, groups=groups)


def attempt_in(folder: Path) -> Attempt:
    return Attempt(folder=folder, data=DataSource(layout={"kind": "none"}))


def table(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("attempt")
    keep_records(attempt_in(folder), RESULTS, [best_of(LABELS, PREDICTED, CLASSES)])
    return folder


def test_the_records_are_what_the_artifact_store_takes(kept: Path) -> None:
    names = {path.name for path in kept.iterdir()}
    assert len(names) == 5
    assert names <= set(ARTIFACTS)


def test_every_epoch_and_metric_is_in_the_learning_curves(kept: Path) -> None:
    head, *rows = table(kept / "learning_curves.csv")
    assert head == ["epoch", *RESULTS[0].metrics, "seconds", "images"]
    assert [list(map(float, row)) for row in rows] == [
        [epoch, 1 / epoch, 0.6, 7 / 12, 2.0, 1.5, 40] for epoch in (1, 2, 3)
    ]


def test_a_metric_that_an_epoch_lacks_is_an_empty_cell(tmp_path: Path) -> None:
    results = [
        *RESULTS,
        EpochResult(epoch=4, metrics={"val_loss": 0.1, "late": 5.0}, seconds=1.5, images=40),
    ]
    keep_records(attempt_in(tmp_path), results, [best_of(LABELS, PREDICTED, CLASSES)])
    _, *rows = table(tmp_path / "learning_curves.csv")
    assert [row[5] for row in rows] == ["", "", "", "5.0"]
    assert rows[3][2:5] == ["", "", ""]


def test_the_confusion_matrix_counts_true_classes_by_row(kept: Path) -> None:
    assert table(kept / "confusion_matrix.csv") == [
        ["true class", *(f"taken for {name}" for name in CLASSES)],
        ["naevus", "2", "1", "0"],
        ['mole, "atypical"', "0", "1", "1"],
        ["melanoma", "0", "0", "0"],
    ]


def wilson(right: int, images: int) -> tuple[float, float]:
    """The interval as in Wilson 1927, in plain arithmetic."""
    z, share = 1.959963984540054, right / images
    middle = (share + z**2 / (2 * images)) / (1 + z**2 / images)
    root = math.sqrt(share * (1 - share) / images + z**2 / (4 * images**2))
    half = z / (1 + z**2 / images) * root
    return middle - half, middle + half


def test_each_class_has_its_recall_with_an_interval_and_what_else_is_known(kept: Path) -> None:
    head, naevus, mole, _ = table(kept / "per_class.csv")
    assert head[:6] == ["class", "images", "groups", "recall", "recall_low", "recall_high"]
    assert head[6:] == ["precision", "f1", "auc"]
    # Taken for naevus: 2, both right. The rest's images never look more like it than its own, one
    # of which ties with one of them: (2 * 2 + 1 + .5) / 6.
    assert naevus[:3] == ["naevus", "3", "3"]
    expected = [2 / 3, *wilson(2, 3), 1.0, 4 / 5, 5.5 / 6]
    assert list(map(float, naevus[3:])) == pytest.approx(expected, rel=1e-9)
    expected = [2, 2, 0.5, *wilson(1, 2), 0.5, 0.5]
    assert list(map(float, mole[1:8])) == pytest.approx(expected, rel=1e-9)


def test_what_a_class_without_images_cannot_have_is_an_empty_cell(kept: Path) -> None:
    assert table(kept / "per_class.csv")[3] == ["melanoma", "0", "0", "", "", "", "0.0", "", ""]


def test_where_images_have_groups_a_recalls_interval_counts_those(tmp_path: Path) -> None:
    # Two patients, three images each; the one's are all right, the other's all wrong.
    labels, predicted = torch.zeros(6, dtype=torch.long), torch.tensor([0, 0, 0, 1, 1, 1])
    best = replace(best_of(labels, predicted, ["a", "b"]), groups=["x"] * 3 + ["y"] * 3)

    keep_records(attempt_in(tmp_path), RESULTS, [best])

    assert table(tmp_path / "per_class.csv")[1][:6] == ["a", "6", "2", "0.5", "0.0", "1.0"]
    rows = table(tmp_path / "groups.csv")[1:]
    assert [row[:4] for row in rows] == [["x", "a", "3", "3"], ["y", "a", "3", "0"]]


def test_the_losses_of_all_groups_are_the_ruler(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(4)
    labels = torch.randint(3, (90,), generator=generator)
    logits = 3 * torch.randn(90, 3, generator=generator)
    groups = [f"patient {number % 7}" for number in range(90)]
    best = Best(epoch=2, model={}, logits=logits, labels=labels, classes=CLASSES, groups=groups)

    keep_records(attempt_in(tmp_path), RESULTS, [best])

    sums = read_groups((tmp_path / "groups.csv").read_text(encoding="utf-8"))
    expected, everything = measure(logits, labels), np.ones((1, 7))
    assert sums.images.sum() == 90
    assert sums.mean_losses(everything)[0] == pytest.approx(expected["val_loss"], abs=1e-6)
    accuracy = sums.balanced_accuracies(everything)[0]
    assert accuracy == pytest.approx(expected["val_balanced_accuracy"], abs=1e-12)


def test_the_picture_shows_each_cell_as_dark_as_its_share_of_the_row(tmp_path: Path) -> None:
    labels, predicted = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 0, 0, 1])
    keep_records(attempt_in(tmp_path), RESULTS, [best_of(labels, predicted, ["a", "b"])])
    light = np.asarray(Image.open(tmp_path / "summary.png").convert("L"), dtype=float)
    # The matrix: 3.4 inches wide and high at 100 dots each, .3 from the right, 1.0 from the top.
    matrix = light[100:440, -370:-30]
    corners = [matrix[row, column] for row in (10, 180) for column in (10, 180)]
    all_right, none, half, _ = corners
    assert none == 255
    assert all_right < half < none
    assert half == corners[3]


@pytest.mark.parametrize(
    "classes",
    [
        ["$a", "b$c$"],  # no formulas
        ["良性", "悪性"],  # not in the font
        ["short", "a name that is much too long to stand beside a matrix of this size"],
        [f"class {number}" for number in range(60)],
    ],
    ids=["dollars", "kanji", "long", "many"],
)
def test_the_picture_is_drawn_whatever_the_classes_are_called(
    tmp_path: Path, classes: list[str]
) -> None:
    best = best_of(LABELS % 2, PREDICTED % 2, classes)
    keep_records(attempt_in(tmp_path), RESULTS, [best])
    with Image.open(tmp_path / "summary.png") as picture:
        assert picture.width > 1000
    assert [row[0] for row in table(tmp_path / "per_class.csv")[1:]] == classes


@pytest.mark.parametrize("broken", [math.nan, math.inf, 0.0, 1e-9, 1e30])
def test_the_picture_is_drawn_whatever_a_loss_has_been(tmp_path: Path, broken: float) -> None:
    metrics = {**RESULTS[0].metrics, "train_loss": broken, "val_cross_entropy": broken}
    results = [EpochResult(epoch=1, metrics=metrics, seconds=1.5, images=40), *RESULTS[1:]]
    keep_records(attempt_in(tmp_path), results, [best_of(LABELS, PREDICTED, CLASSES)])
    assert (tmp_path / "summary.png").stat().st_size > 10_000


def test_the_records_of_a_finished_trial_replace_those_of_a_killed_one(kept: Path) -> None:
    before = (kept / "summary.png").read_bytes()
    (kept / "summary.png").write_bytes(before[:100])
    keep_records(attempt_in(kept), RESULTS, [best_of(LABELS, PREDICTED, CLASSES)])
    assert (kept / "summary.png").read_bytes() == before


def test_the_tables_answer_as_the_metrics_did_however_near_or_large_the_logits(
    tmp_path: Path,
) -> None:
    # In float16 the first image's logits would tie and the second's be infinite.
    logits, labels = torch.tensor([[30.0, 30.005], [7e4, 8e4], [1.0, 0.0]]), torch.tensor([1, 1, 0])
    images = ImageSet(
        images=torch.zeros(3, 3, 1, 1), labels=labels, classes=("a", "b"), groups=("x", "y", "z")
    )
    best = take_best(2, 1, logits, images, model=torch.nn.Identity())
    keep_records(attempt_in(tmp_path), RESULTS, [best])
    right = [int(row[at]) for at, row in enumerate(table(tmp_path / "confusion_matrix.csv")) if at]
    assert sum(right) / 3 == measure(logits, labels)["val_top1"] == 1.0
