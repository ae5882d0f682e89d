"""What a step makes smaller."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from objectives.recipe.classifier import ClassifierRecipe


@dataclass(frozen=True)
class Criterion:
    """Cross-entropy with what is done about rare classes: margins, weights, or neither.

    class_weights, margins: (classes,), margins in the unit of the logits. A batch may come in
    parts: its mean is the sum of all `losses` by the sum of all `weights`, whatever the parts.
    """

    class_weights: Tensor | None = None
    margins: Tensor | None = None
    label_smoothing: float = 0.0

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Give the weighted mean () over these images."""
        return self.losses(logits, labels).sum() / self.weights(labels).sum()

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Give each image's weighted loss (B,), float32, of logits (B, classes) and labels (B,)."""
        logits = logits.float()
        if self.margins is not None:
            logits = logits - _of_true_class(self.margins, logits, labels)
        return F.cross_entropy(
            logits,
            labels,
            weight=self.class_weights,
            label_smoothing=self.label_smoothing,
            reduction="none",
        )

    def weights(self, labels: Tensor) -> Tensor:
        """Give what each image (B,) weighs; 1 where nothing is weighted."""
        if self.class_weights is None:
            return torch.ones(len(labels), device=labels.device)
        return self.class_weights[labels]


def build_criterion(recipe: ClassifierRecipe, counts: Tensor, epoch: int) -> Criterion:
    """Give the loss that a recipe trains in an epoch (from 1), on the device of `counts`.

    counts: (classes,), training images per class, all >= 1.
    """
    margins = weights = None
    if recipe.has_margins:
        margins = recipe.ldam_scale * ldam_margins(counts, recipe.ldam_max_margin)
    if recipe.balancing == "class_weights":
        weights = balanced_weights(counts)
    if recipe.balancing == "ldam_drw" and epoch > recipe.drw_start * recipe.epochs:
        weights = effective_number_weights(counts, recipe.drw_beta)
    return Criterion(weights, margins, recipe.label_smoothing)


def ldam_margins(counts: Tensor, max_margin: float) -> Tensor:
    """Give each class the margin that its rarity earns (Cao et al. 2019, arXiv:1906.07413, eq. 13).

    counts: (classes,), training images per class, all >= 1. Returns (classes,), proportional to
    counts^(-1/4), the rarest class exactly max_margin.
    """
    return max_margin * (counts / counts.min()) ** -0.25


def balanced_weights(counts: Tensor) -> Tensor:
    """Give each class images / (classes * count): all classes weigh the same in sum.

    (King and Zeng 2001, and scikit-learn's class_weight="balanced".) counts: (classes,), all >= 1.
    """
    return counts.sum() / (len(counts) * counts)


def effective_number_weights(counts: Tensor, beta: float) -> Tensor:
    """Give each class (1 - beta) / (1 - beta^count), scaled to a mean of 1.

    (Cui et al. 2019, arXiv:1901.05555, section 4; so scaled there and in Cao et al.'s code.)
    counts: (classes,), all >= 1.
    """
    # In double: beta may be so near to 1 that float32 would leave 1 - beta^count two digits.
    weights = (1 - beta) / (1 - beta ** counts.double())
    return (weights / weights.mean()).float()


def _of_true_class(values: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
    """Put the true class's value where its logit stands, 0 elsewhere (LDAM, eq. 12)."""
    return torch.zeros_like(logits).scatter(1, labels[:, None], values[labels][:, None])
