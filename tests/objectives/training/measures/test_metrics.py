"""The ruler, and the metrics beside it."""

import math

import pytest
import torch
from sklearn.metrics import f1_score, recall_score, roc_auc_score, top_k_accuracy_score
from torch.nn.functional import cross_entropy

from objectives import catalog
from objectives.training.measures.metrics import aucs, confusion, f1_scores, measure, precisions
from objectives.training.measures.ruler import fit_temperature


def noisy_logits(images: int = 2000, classes: int = 4, factor: float = 1.0):
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(classes, (images,), generator=generator)
    logits = torch.randn(images, classes, generator=generator)
    logits[torch.arange(images), labels] += 1.5
    return logits * factor, labels


@pytest.mark.parametrize("factor", [0.1, 0.5, 3.0, 30.0, 100.0])
def test_a_factor_on_all_logits_does_not_move_the_ruler(factor: float) -> None:
    plain, scaled = measure(*noisy_logits()), measure(*noisy_logits(factor=factor))
    assert scaled["val_loss"] == pytest.approx(plain["val_loss"], abs=1e-6)
    for name in ("top1", "top3", "balanced_accuracy", "macro_f1", "macro_auc"):
        assert scaled[f"val_{name}"] == pytest.approx(plain[f"val_{name}"], abs=1e-6)
    assert scaled["val_temperature"] == pytest.approx(factor * plain["val_temperature"], rel=1e-5)
    assert scaled["val_cross_entropy"] > plain["val_loss"]


def test_the_temperature_makes_confidence_equal_to_the_share_of_right_answers() -> None:
    # 100 equal answers of which 80 are right. Platt's targets for them: 1 - 1/102 plus the half of
    # 1/102 that falls on the same side, 80 times; the other half, 20 times.
    right = 0.8 * (1 - 1 / 102) + 0.5 / 102
    logits = torch.tensor([[6.0, 0.0]]).repeat(100, 1)
    labels = (torch.arange(100) >= 80).long()
    values = measure(logits, labels)
    odds = right / (1 - right)
    assert values["val_temperature"] == pytest.approx(6 / math.log(odds), rel=1e-9)
    loss = -0.8 * math.log(right) - 0.2 * math.log(1 - right)
    assert values["val_loss"] == pytest.approx(loss, rel=1e-9)


@pytest.mark.parametrize(
    ("logits", "loss"),
    [
        (torch.zeros(6, 3), math.log(3)),  # nothing known
        (-10 * torch.eye(3).repeat(2, 1), math.log(3)),  # worse than knowing nothing
        # All right, however faintly: six images cannot vouch for more than 1 - 1/8 + 1/24.
        (0.01 * torch.eye(3).repeat(2, 1), -math.log(11 / 12)),
    ],
)
def test_the_ruler_ends_at_the_uniform_guess_and_where_no_image_is_wrong(
    logits: torch.Tensor, loss: float
) -> None:
    labels = torch.arange(3).repeat(2)
    assert measure(logits, labels)["val_loss"] == pytest.approx(loss, abs=2e-3)


def test_accuracies_are_fractions_and_a_rare_class_weighs_as_much_as_a_common_one() -> None:
    labels = torch.tensor([0] * 8 + [1] * 2)
    logits = torch.tensor([[1.0, 0.0]] * 9 + [[0.0, 1.0]])
    values = measure(logits, labels)
    assert values["val_top1"] == pytest.approx(0.9)
    assert values["val_balanced_accuracy"] == pytest.approx((1.0 + 0.5) / 2)
    # 8 of the 9 taken for the first class are right, and the one taken for the second.
    assert values["val_macro_f1"] == pytest.approx((2 * 8 / (8 + 9) + 2 * 1 / (2 + 1)) / 2)
    assert values["val_macro_auc"] == pytest.approx(0.75)  # one of two pairs tied for each 0


def test_a_class_that_does_not_occur_is_left_out_of_the_means() -> None:
    logits, labels = noisy_logits(classes=2)
    absent = torch.cat([logits, torch.full((len(logits), 1), -50.0)], dim=1)
    values, expected = measure(absent, labels), measure(logits, labels)
    assert values["val_balanced_accuracy"] == pytest.approx(expected["val_balanced_accuracy"])
    assert values["val_macro_f1"] == pytest.approx(expected["val_macro_f1"])
    assert values["val_macro_auc"] == pytest.approx(expected["val_macro_auc"])


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_a_logit_that_is_not_finite_makes_every_metric_nan(broken: float) -> None:
    logits, labels = noisy_logits(images=10)
    logits[3, 1] = broken
    assert all(math.isnan(value) for value in measure(logits, labels).values())


def test_the_fit_finds_what_a_fine_grid_finds() -> None:
    logits, labels = noisy_logits(factor=7.0)
    grid = torch.linspace(1, 20, 1901, dtype=torch.float64)
    losses = [
        cross_entropy(logits.double() / each, labels, label_smoothing=1 / 2002) for each in grid
    ]
    best = grid[losses.index(min(losses))].item()
    assert fit_temperature(logits.double(), labels) == pytest.approx(best, abs=0.01)


def test_the_calibration_error_weighs_each_bins_gap_by_its_images() -> None:
    # The first two are in the bin (.6, .667], where too sure and not sure enough cancel: half are
    # right at a mean confidence of .63. The others are alone: .1 and .98 from the truth.
    confidence = torch.tensor([0.62, 0.64, 0.90, 0.98], dtype=torch.double)
    logits = torch.stack([confidence, 1 - confidence], dim=1).log()
    error = measure(logits, torch.tensor([0, 1, 0, 1]))["val_ece"]
    assert error == pytest.approx((2 * 0.13 + 0.1 + 0.98) / 4, rel=1e-9)


def test_the_calibration_error_is_of_the_logits_as_they_are() -> None:
    plain, sharper = (measure(*noisy_logits(factor=each))["val_ece"] for each in (1.5, 6.0))
    assert plain < 0.05 < 0.15 < sharper


def test_counts_by_class_agree_with_scikit_learn() -> None:
    logits, labels = noisy_logits(images=300, classes=7)
    labels[labels == 6] = 2  # still predicted now and then, but never right
    values, predicted, present = measure(logits, labels), logits.argmax(dim=1), list(range(6))
    f1 = f1_score(labels, predicted, labels=present, average="macro")
    recall = recall_score(labels, predicted, labels=present, average="macro")
    top3 = top_k_accuracy_score(labels, logits, k=3, labels=list(range(7)))
    assert values["val_macro_f1"] == pytest.approx(f1, rel=1e-12)
    assert values["val_balanced_accuracy"] == pytest.approx(recall, rel=1e-12)
    assert values["val_top3"] == pytest.approx(top3, rel=1e-12)


@pytest.mark.parametrize("classes", [2, 7])
def test_aucs_agree_with_scikit_learn(classes: int) -> None:
    logits, labels = noisy_logits(images=300, classes=classes)
    logits = logits.double().round()  # with two classes most images share their probability
    probabilities = logits.softmax(dim=1)
    expected = [roc_auc_score(labels == each, probabilities[:, each]) for each in range(classes)]
    assert aucs(logits, labels).tolist() == pytest.approx(expected, rel=1e-12)


def test_of_two_classes_the_right_one_is_always_among_the_first_three() -> None:
    assert measure(*noisy_logits(classes=2))["val_top3"] == 1.0


def test_what_a_class_without_images_has_no_answer_to_is_nan() -> None:
    logits, labels = torch.eye(3), torch.tensor([0, 1, 1])
    logits[2, 1] = -1.0  # the second class's other image looks less like it than the first image
    matrix = confusion(logits, labels)
    assert matrix.tolist() == [[1, 0, 0], [0, 1, 1], [0, 0, 0]]
    assert f1_scores(matrix).tolist() == pytest.approx([1, 2 / 3, math.nan], nan_ok=True)
    assert precisions(matrix).tolist() == [1, 1, 0]
    assert aucs(logits, labels).tolist() == pytest.approx([1, 0.5, math.nan], nan_ok=True)


def test_every_metric_of_the_validation_split_is_in_the_catalog() -> None:
    known = catalog.describe("image_classifier").metrics
    for name, value in measure(*noisy_logits()).items():
        assert known[name]["low"] <= value <= (known[name]["high"] or math.inf)
