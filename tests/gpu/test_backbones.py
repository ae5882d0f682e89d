"""Tests of our backbones on a GPU: each learns there, and twice to the same bits."""

import pytest
import torch
from torch import Tensor

from objectives.models.classifier import build_classifier
from objectives.recipe.backbones import BACKBONES
from objectives.recipe.image import ImageRecipe
from objectives.training import precision

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_backbone_of_ours_learns_to_the_same_bits(backbone: str) -> None:
    first, again = gradients(backbone), gradients(backbone)
    assert all(each.isfinite().all() for each in first)
    assert all(one.equal(other) for one, other in zip(first, again, strict=True))


def gradients(backbone: str) -> list[Tensor]:
    """Give what one deterministic step in bfloat16 leaves in every parameter."""
    precision.settle(1, deterministic=True)
    torch.manual_seed(0)
    recipe = ImageRecipe(backbone=backbone, image_size=112)  # a multiple of 14 as well
    model = build_classifier(recipe, classes=3).to("cuda", memory_format=torch.channels_last)
    images = torch.randn(8, 3, 112, 112, device="cuda")
    with precision.autocast("bfloat16", "cuda"):
        logits = model(images.to(memory_format=torch.channels_last))
    logits.square().sum().backward()
    return [each.grad for each in model.parameters() if each.grad is not None]
