"""The layers that turn features into logits."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from objectives.recipe.classifier import ClassifierRecipe


class CosineHead(nn.Module):
    """Scaled cosines between an image's features and each class as logits; no bias.

    LDAM is defined on this head (Cao et al. 2019, arXiv:1906.07413, section 3.2 and their code).
    """

    def __init__(self, features: int, classes: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.weight = nn.Parameter(F.normalize(torch.randn(classes, features), dim=1))

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, features) to (B, classes), each between -scale and scale."""
        cosines = F.linear(F.normalize(features, dim=1), F.normalize(self.weight, dim=1))
        return self.scale * cosines


def build_head(recipe: ClassifierRecipe, features: int, classes: int) -> nn.Module:
    """Build the recipe's head: a last layer, behind dropout and a hidden layer if it has them."""
    width = recipe.hidden_units if recipe.head == "hidden" else features
    hidden = [nn.Linear(features, width), nn.ReLU()] if recipe.head == "hidden" else []
    dropout = [nn.Dropout(recipe.dropout)] if recipe.dropout else []
    last = (
        CosineHead(width, classes, recipe.ldam_scale)
        if recipe.has_margins
        else nn.Linear(width, classes)
    )
    return nn.Sequential(*hidden, *dropout, last) if hidden or dropout else last
