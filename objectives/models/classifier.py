"""A backbone and a head: the network of one trial."""

import torch
from torch import Tensor, nn

from objectives.models.backbones import build_backbone
from objectives.models.heads import CosineHead
from objectives.recipe.image import ImageRecipe


class Classifier(nn.Module):
    """Images in, logits out; the head computes in float32 whatever the backbone computes in."""

    def __init__(self, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, 3, H, W) to float32 logits (B, classes)."""
        features = self.backbone(images)
        # bfloat16 would move a scaled cosine in steps of a tenth.
        with torch.autocast(features.device.type, enabled=False):
            logits: Tensor = self.head(features.float())
        return logits


def build_classifier(recipe: ImageRecipe, classes: int) -> Classifier:
    """Give the network a recipe asks for, started from torch's random state."""
    backbone, features = build_backbone(recipe.backbone, recipe.weights, recipe.stem)
    if recipe.has_margins:
        return Classifier(backbone, CosineHead(features, classes, recipe.ldam_scale))
    return Classifier(backbone, nn.Linear(features, classes))
