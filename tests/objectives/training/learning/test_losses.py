"""Tests of the losses against numbers worked by hand from the papers, and against scikit-learn."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional as F

from objectives.data.pixels.normalization import CENTRED
from objectives.models.classifier import Classifier
from objectives.models.heads import CosineHead
from objectives.recipe.image import ImageRecipe
from objectives.training.learning.losses import (
    balanced_weights,
    build_criterion,
    effective_number_weights,
    ldam_margins,
)

COUNTS = torch.tensor([100, 20, 4])
WEIGHTED = ImageRecipe(balancing="class_weights")
DRW = ImageRecipe(balancing="ldam_drw", epochs=10)


def test_margins_fall_with_the_fourth_root_of_the_count() -> None:
    # 1/2, 1/3 and 1/4, scaled so that the rarest class has the largest margin.
    margins = ldam_margins(torch.tensor([16, 81, 256]), max_margin=0.6)
    assert margins.tolist() == pytest.approx([0.6, 0.4, 0.3], abs=1e-7)


def test_only_the_true_class_loses_its_margin() -> None:
    recipe = ImageRecipe(ldam=True, ldam_max_margin=0.5, ldam_scale=10.0)
    criterion = build_criterion(recipe, torch.tensor([1, 16]), epoch=1)  # margins .5 and .25
    logits = 10 * torch.tensor([[0.8, 0.2], [0.1, 0.4]])
    # First image: 10 * (.8 - .5) = 3 against 2; second: 10 * (.4 - .25) = 1.5 against 1.
    expected = (math.log(1 + math.exp(-1.0)) + math.log(1 + math.exp(-0.5))) / 2
    assert criterion(logits, torch.tensor([0, 1])).item() == pytest.approx(expected, abs=1e-6)


def test_without_ldam_the_criterion_is_cross_entropy_with_its_smoothing() -> None:
    criterion = build_criterion(ImageRecipe(label_smoothing=0.1), torch.tensor([5, 5]), epoch=1)
    # Target (.95, .05) against the log-probabilities of logits (1, 0).
    expected = 0.95 * math.log(1 + math.exp(-1)) + 0.05 * math.log(1 + math.exp(1))
    loss = criterion(torch.tensor([[1.0, 0.0]]), torch.tensor([0]))
    assert loss.item() == pytest.approx(expected, abs=1e-6)


def test_a_cosine_logit_does_not_depend_on_the_length_of_the_features() -> None:
    head = CosineHead(features=2, classes=2, scale=30.0)
    head.weight.data = torch.tensor([[2.0, 0.0], [3.0, 3.0]])
    logits = head(torch.tensor([[0.5, 0.0], [50.0, 0.0]]))
    assert logits.tolist() == [pytest.approx([30.0, 30 * math.sqrt(0.5)])] * 2


def test_under_autocast_the_head_still_computes_in_float32() -> None:
    torch.manual_seed(0)
    head = CosineHead(features=64, classes=4, scale=30.0)
    model = Classifier(torch.nn.Identity(), head, CENTRED)
    features = torch.randn(8, 64)
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(features)
    weight = head.weight.double()
    exact = 30 * F.normalize(features.double(), dim=1) @ F.normalize(weight, dim=1).T
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits, exact.float(), atol=1e-5, rtol=0)


def ldam_worked_out(
    cosines: list[float], label: int, counts: list[int], max_margin: float, scale: float
) -> float:
    """Equations 12 and 13 for one image, in plain arithmetic."""
    # C of eq. 13, chosen so that the largest margin is max_margin.
    constant = max_margin * min(counts) ** 0.25
    numerator = math.exp(scale * (cosines[label] - constant / counts[label] ** 0.25))
    others = [math.exp(scale * cosine) for j, cosine in enumerate(cosines) if j != label]
    return -math.log(numerator / (numerator + sum(others)))


def example(images: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines times 30 and labels, three classes."""
    generator = torch.Generator().manual_seed(0)
    cosines = 2 * torch.rand(images, 3, generator=generator) - 1
    return 30 * cosines, torch.randint(3, (images,), generator=generator)


@pytest.mark.parametrize("is_autocast", [False, True])
def test_each_images_ldam_loss_is_the_papers(is_autocast: bool) -> None:
    recipe = ImageRecipe(balancing="ldam", ldam_max_margin=0.5, ldam_scale=30.0)
    logits, labels = example()
    with torch.autocast("cpu", torch.bfloat16, enabled=is_autocast):
        losses = build_criterion(recipe, COUNTS, epoch=1).losses(logits, labels)
    expected = [
        ldam_worked_out(cosines, label, COUNTS.tolist(), max_margin=0.5, scale=30.0)
        for cosines, label in zip((logits.double() / 30).tolist(), labels.tolist(), strict=True)
    ]
    # float32 carries losses of up to 60 to 1e-5; bfloat16 would be off by a tenth.
    assert losses.tolist() == pytest.approx(expected, abs=2e-5)


def test_balanced_weights_are_scikit_learns() -> None:
    labels = torch.repeat_interleave(torch.arange(3), COUNTS).numpy()
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    assert balanced_weights(COUNTS).tolist() == pytest.approx(expected.tolist(), rel=1e-6)


def test_effective_numbers_give_a_class_what_its_first_images_are_worth() -> None:
    # beta .9: 1 - .9^1 = .1, 1 - .9^2 = .19; .1/.1 = 1 and .1/.19 = 10/19, scaled to sum to 2.
    weights = effective_number_weights(torch.tensor([1, 2]), beta=0.9)
    assert weights.tolist() == pytest.approx([38 / 29, 20 / 29], rel=1e-6)


def test_effective_numbers_keep_their_digits_where_beta_is_nearly_1() -> None:
    # (1 - b) / (1 - b^n) is 1 / (1 + b + ... + b^(n - 1)).
    beta, counts = 0.999999, [1, 30]
    sums = [sum(beta**power for power in range(count)) for count in counts]
    mean = sum(1 / each for each in sums) / 2
    weights = effective_number_weights(torch.tensor(counts), beta)
    assert weights.tolist() == pytest.approx([1 / each / mean for each in sums], rel=1e-6)


def test_without_beta_all_classes_weigh_the_same() -> None:
    assert effective_number_weights(COUNTS, beta=0.0).tolist() == [1.0, 1.0, 1.0]


def test_reweighting_begins_after_its_share_of_the_schedule() -> None:
    # The authors': epoch 160 of 200, counted from 0, is the first; .8 of 10 are 8.
    weighted = [build_criterion(DRW, COUNTS, epoch).class_weights is not None for epoch in (8, 9)]
    assert weighted == [False, True]


def test_reweighted_ldam_is_the_weighted_mean_of_the_images_ldam_losses() -> None:
    logits, labels = example()
    early, late = (build_criterion(DRW, COUNTS, epoch) for epoch in (1, 10))
    weights = effective_number_weights(COUNTS, DRW.drw_beta)[labels]
    expected = (weights * early.losses(logits, labels)).sum() / weights.sum()
    assert late(logits, labels).item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize("balancing", ["none", "sampler", "ldam"])
def test_only_weights_make_an_image_weigh_more_than_another(balancing: str) -> None:
    criterion = build_criterion(ImageRecipe(balancing=balancing), COUNTS, epoch=10)
    assert criterion.weights(torch.tensor([0, 1, 2])).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_class_weights_act_as_torchs_on_a_whole_batch(smoothing: float) -> None:
    recipe = ImageRecipe(balancing="class_weights", label_smoothing=smoothing)
    logits, labels = example()
    weight = 124 / (3 * COUNTS)
    expected = F.cross_entropy(logits, labels, weight=weight, label_smoothing=smoothing)
    loss = build_criterion(recipe, COUNTS, epoch=1)(logits, labels)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize("cuts", [(0, 12), (0, 5, 12), (0, 1, 4, 12)])
@pytest.mark.parametrize("recipe", [WEIGHTED, DRW], ids=["class_weights", "ldam_drw"])
def test_a_batch_has_one_gradient_however_it_is_cut(
    recipe: ImageRecipe, cuts: tuple[int, ...]
) -> None:
    criterion = build_criterion(recipe, COUNTS, epoch=10)
    features, labels = example()
    network = torch.nn.Linear(3, 3)
    for start, end in pairwise(cuts):
        losses = criterion.losses(network(features[start:end]), labels[start:end])
        (losses.sum() / criterion.weights(labels).sum()).backward()

    logits = network(features)
    if criterion.margins is not None:
        logits = logits - F.one_hot(labels, 3) * criterion.margins
    whole = F.cross_entropy(logits, labels, weight=criterion.class_weights)
    expected = torch.autograd.grad(whole, list(network.parameters()))
    for parameter, gradient in zip(network.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-5, atol=1e-6)


def test_batch_by_batch_means_would_undo_the_weights() -> None:
    # Why the sums are divided only once: alone in its part, an image weighs 1 whatever its class.
    criterion = build_criterion(WEIGHTED, COUNTS, epoch=1)
    logits, labels = example()
    alone = torch.stack([criterion(logits[i : i + 1], labels[i : i + 1]) for i in range(12)])
    unweighted = F.cross_entropy(logits, labels)
    assert alone.mean().item() == pytest.approx(unweighted.item(), rel=1e-5)
    assert criterion(logits, labels).item() != pytest.approx(unweighted.item(), rel=0.1)
