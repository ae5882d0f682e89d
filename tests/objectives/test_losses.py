"""Tests of LDAM against numbers worked by hand from arXiv:1906.07413, equations 12 and 13."""

import math

import pytest
import torch
from torch.nn import functional as F

from objectives.models.classifier import Classifier
from objectives.models.heads import CosineHead
from objectives.recipe.image import ImageRecipe
from objectives.training.losses import build_criterion, ldam_margins


def test_margins_fall_with_the_fourth_root_of_the_count() -> None:
    # 1/2, 1/3 and 1/4, scaled so that the rarest class has the largest margin.
    margins = ldam_margins(torch.tensor([16, 81, 256]), max_margin=0.6)
    assert margins.tolist() == pytest.approx([0.6, 0.4, 0.3], abs=1e-7)


def test_only_the_true_class_loses_its_margin() -> None:
    recipe = ImageRecipe(ldam=True, ldam_max_margin=0.5, ldam_scale=10.0)
    criterion = build_criterion(recipe, torch.tensor([1, 16]))  # margins .5 and .25
    logits = 10 * torch.tensor([[0.8, 0.2], [0.1, 0.4]])
    # First image: 10 * (.8 - .5) = 3 against 2; second: 10 * (.4 - .25) = 1.5 against 1.
    expected = (math.log(1 + math.exp(-1.0)) + math.log(1 + math.exp(-0.5))) / 2
    assert criterion(logits, torch.tensor([0, 1])).item() == pytest.approx(expected, abs=1e-6)


def test_without_ldam_the_criterion_is_cross_entropy_with_its_smoothing() -> None:
    criterion = build_criterion(ImageRecipe(label_smoothing=0.1), torch.tensor([5, 5]))
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
    model = Classifier(torch.nn.Identity(), CosineHead(features=64, classes=4, scale=30.0))
    features = torch.randn(8, 64)
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(features)
    weight = model.head.weight.double()
    exact = 30 * F.normalize(features.double(), dim=1) @ F.normalize(weight, dim=1).T
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits, exact.float(), atol=1e-5, rtol=0)
