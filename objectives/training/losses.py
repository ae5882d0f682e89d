"""What a step makes smaller."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from objectives.recipe.image import ImageRecipe

Criterion = Callable[[Tensor, Tensor], Tensor]


def build_criterion(recipe: ImageRecipe, counts: Tensor) -> Criterion:
    """Give the loss a recipe trains, of logits (B, classes) and labels (B,): a mean over the batch.

    counts: (classes,), training images per class, on the device of the logits.
    """
    if recipe.has_margins:
        margins = recipe.ldam_scale * ldam_margins(counts, recipe.ldam_max_margin)
        return partial(margin_cross_entropy, margins=margins)
    return partial(F.cross_entropy, label_smoothing=recipe.label_smoothing)


def ldam_margins(counts: Tensor, max_margin: float) -> Tensor:
    """Give each class the margin that its rarity earns (Cao et al. 2019, arXiv:1906.07413, eq. 13).

    counts: (classes,), training images per class, all >= 1. Returns (classes,), proportional to
    counts^(-1/4), the rarest class exactly max_margin.
    """
    return max_margin * (counts / counts.min()) ** -0.25


def margin_cross_entropy(logits: Tensor, labels: Tensor, margins: Tensor) -> Tensor:
    """Give the cross-entropy after the true class's logit has lost its margin (LDAM, eq. 12).

    margins: (classes,), in the unit of the logits.
    """
    handicap = torch.zeros_like(logits).scatter(1, labels[:, None], margins[labels][:, None])
    return F.cross_entropy(logits - handicap, labels)
