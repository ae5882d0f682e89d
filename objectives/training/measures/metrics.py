"""Compute the validation metrics of logits. `val_loss` is the ruler that all trials share."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from objectives.contract import BALANCED_ACCURACY, MACRO_AUC, RULER
from objectives.training.measures.ruler import fit_temperature

_BINS = 15  # as Guo et al. 2017, table 1
_NAMES = (
    RULER,
    "val_cross_entropy",
    "val_temperature",
    "val_ece",
    "val_top1",
    "val_top3",
    BALANCED_ACCURACY,
    "val_macro_f1",
    MACRO_AUC,
)


def measure(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Compute the `val_` metrics of logits (N, classes) for labels (N,); all NaN if a logit is.

    Fractions are from 0 to 1. Balanced accuracy, F1 and AUC are means over the classes that occur.
    The calibration error is that of the logits without the ruler's temperature.
    """
    logits, labels = logits.double().cpu(), labels.cpu()
    if not logits.isfinite().all():
        return dict.fromkeys(_NAMES, math.nan)
    temperature = fit_temperature(logits, labels)
    matrix = confusion(logits, labels)
    values = (
        F.cross_entropy(logits / temperature, labels).item(),
        F.cross_entropy(logits, labels).item(),
        temperature,
        calibration_error(logits, labels),
        matrix.diagonal().sum().item() / len(labels),
        _top3(logits, labels),
        recalls(matrix).nanmean().item(),
        f1_scores(matrix).nanmean().item(),
        aucs(logits / temperature, labels).nanmean().item(),
    )
    return dict(zip(_NAMES, values, strict=True))


def confusion(logits: Tensor, labels: Tensor) -> Tensor:
    """Count the images by true class (row) and predicted class (column): (classes, classes)."""
    classes = logits.shape[1]
    cells = labels * classes + logits.argmax(dim=1)
    return cells.bincount(minlength=classes**2).reshape(classes, classes)


def recalls(confusion: Tensor) -> Tensor:
    """Compute each class's recall (classes,); NaN for a class without images."""
    return confusion.diagonal().double() / confusion.sum(dim=1)


def precisions(confusion: Tensor) -> Tensor:
    """Compute each class's precision (classes,); NaN for a class that was never predicted."""
    return confusion.diagonal().double() / confusion.sum(dim=0)


def f1_scores(confusion: Tensor) -> Tensor:
    """Compute each class's F1 score (classes,); NaN for a class without images."""
    occurring, taken_for = confusion.sum(dim=1), confusion.sum(dim=0)
    scores = 2 * confusion.diagonal().double() / (occurring + taken_for)
    return scores.where(occurring > 0, math.nan)


def aucs(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute each class's one-vs-rest AUC (classes,); NaN where the class or the rest is empty.

    An image's score for a class is the class's probability, as in scikit-learn.
    """
    probabilities, counts = logits.softmax(dim=1), labels.bincount(minlength=logits.shape[1])
    values = torch.full((logits.shape[1],), math.nan, dtype=torch.double)
    for each in ((counts > 0) & (counts < len(labels))).nonzero()[:, 0].tolist():
        values[each] = _auc(probabilities[:, each].contiguous(), labels == each)
    return values


def calibration_error(logits: Tensor, labels: Tensor) -> float:
    """Compute the expected calibration error (0 to 1): the mean gap of confidence and accuracy.

    Over 15 bins of equal width (Guo et al. 2017, arXiv:1706.04599, eq. 3); the bins are open below,
    (0, 1/15] the first.
    """
    confidence, predicted = logits.softmax(dim=1).max(dim=1)
    bins = torch.bucketize(confidence, torch.arange(1, _BINS, dtype=torch.double) / _BINS)
    gaps = bins.bincount((predicted == labels).double() - confidence, minlength=_BINS)
    return gaps.abs().sum().item() / len(labels)


def _auc(scores: Tensor, is_positive: Tensor) -> float:
    """Compute the share of pairs in which the positive image scores higher, ties as one half.

    From the sum of ranks (Mann and Whitney 1947). scikit-learn's gives the same and takes 1.5 s to
    import, half of a worker's start.
    """
    ordered = scores.sort().values
    below, up_to = (torch.searchsorted(ordered, scores, right=right) for right in (False, True))
    ranks, positives = (below + up_to + 1) / 2, int(is_positive.sum())
    above = float(ranks[is_positive].sum()) - positives * (positives + 1) / 2
    return above / (positives * (len(scores) - positives))


def _top3(logits: Tensor, labels: Tensor) -> float:
    """Compute the share of images whose class is among the three highest logits."""
    highest = logits.topk(min(3, logits.shape[1]), dim=1).indices
    return (highest == labels[:, None]).any(dim=1).double().mean().item()
