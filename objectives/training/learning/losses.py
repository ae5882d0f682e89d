"""The training loss, with class weights and margins for rare classes."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from objectives.recipe.classifier import ClassifierRecipe


@dataclass(frozen=True)
class Criterion:
    """Cross-entropy with margins, with class weights, or with neither.

    A batch may be computed in parts: its mean is the sum of all `losses` divided by the sum of all
    `weights`, whatever the parts.

    class_weights: (classes,).
    margins: (classes,), in the unit of the logits.
    """

    class_weights: Tensor | None = None
    margins: Tensor | None = None
    label_smoothing: float = 0.0

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Compute the weighted mean () over these images."""
        return self.losses(logits, labels).sum() / self.weights(labels).sum()

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Compute the weighted loss (B,), float32, from logits (B, classes) and labels (B,)."""
        logits = logits.float()
        if self.margins is not None:
            logits = logits - _at_true_class(self.margins, logits, labels)
        return F.cross_entropy(
            logits,
            labels,
            weight=self.class_weights,
            label_smoothing=self.label_smoothing,
            reduction="none",
        )

    def weights(self, labels: Tensor) -> Tensor:
        """Return the weight of each image (B,); 1 without class weights."""
        if self.class_weights is None:
            return torch.ones(len(labels), device=labels.device)
        return self.class_weights[labels]


def build_criterion(recipe: ClassifierRecipe, counts: Tensor, epoch: int) -> Criterion:
    """Build the training loss of an epoch (from 1), on the device of `counts`.

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
    """Compute the LDAM margin of each class, larger for rarer classes.

    Returns (classes,), proportional to counts^(-1/4), the rarest class exactly max_margin (Cao et
    al. 2019, arXiv:1906.07413, eq. 13).

    counts: (classes,), training images per class, all >= 1.
    """
    return max_margin * (counts / counts.min()) ** -0.25


def balanced_weights(counts: Tensor) -> Tensor:
    """Weight each class by images / (classes * count), so that the sums of all classes are equal.

    As King and Zeng 2001, and scikit-learn's class_weight="balanced".

    counts: (classes,), all >= 1.
    """
    return counts.sum() / (len(counts) * counts)


def effective_number_weights(counts: Tensor, beta: float) -> Tensor:
    """Weight each class by (1 - beta) / (1 - beta^count), scaled to a mean of 1.

    Weights and scale as in Cui et al. 2019 (arXiv:1901.05555, section 4) and Cao et al.'s code.

    counts: (classes,), all >= 1.
    """
    # In double: with beta near 1, float32 would leave two digits of 1 - beta^count.
    weights = (1 - beta) / (1 - beta ** counts.double())
    return (weights / weights.mean()).float()


def _at_true_class(values: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
    """Place the value of each image's true class at its logit, 0 elsewhere (LDAM, eq. 12)."""
    return torch.zeros_like(logits).scatter(1, labels[:, None], values[labels][:, None])
