"""What a validation split says about logits. `val_loss` is the ruler that all trials share."""

import math

from sklearn.metrics import recall_score, roc_auc_score
from torch import Tensor
from torch.nn import functional as F

# Where the inverse temperature is looked for, in units of the logits' own spread. The lower end is
# the uniform guess.
_LOWEST, _HIGHEST = 1e-3, 1e2
_ROUNDS = 60  # Newton needs 5 to 8; halving alone would need 50 from end to end
_NAMES = (
    "val_loss",
    "val_cross_entropy",
    "val_temperature",
    "val_top1",
    "val_balanced_accuracy",
    "val_macro_auc",
)


def measure(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Give the `val_` metrics of logits (N, classes) for labels (N,); NaN if a logit is.

    Fractions are from 0 to 1. AUC and balanced accuracy are means over the classes that occur.
    """
    logits, labels = logits.double().cpu(), labels.cpu()
    if not logits.isfinite().all():
        return dict.fromkeys(_NAMES, math.nan)
    temperature = fit_temperature(logits, labels)
    calibrated, predicted = logits / temperature, logits.argmax(dim=1)
    values = (
        F.cross_entropy(calibrated, labels).item(),
        F.cross_entropy(logits, labels).item(),
        temperature,
        (predicted == labels).double().mean().item(),
        _balanced_accuracy(predicted, labels),
        _macro_auc(calibrated.softmax(dim=1), labels),
    )
    return dict(zip(_NAMES, values, strict=True))


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """Give the one number that, dividing all logits, makes their cross-entropy lowest.

    logits: (N, classes), float64. (Guo et al. 2017, arXiv:1706.04599, section 4.2, by Newton's
    method on the inverse, in which the loss is convex.) The logits' spread is divided out first,
    so that a factor on all of them changes the answer by that factor and the loss not at all.
    The labels count as right with probability 1 - 1 / (N + 2) (Platt 1999, section 2.2): N images
    cannot say more, and where all of them are right the loss would otherwise read 1e-6 and less.
    """
    logits = logits - logits.mean(dim=1, keepdim=True)
    spread = logits.std().item()
    if spread == 0:
        return 1.0
    logits = logits / spread
    # The rest of the probability is spread over all classes, whose logits have mean 0.
    wanted = (1 - 1 / (len(labels) + 2)) * logits.gather(1, labels[:, None])[:, 0]
    low, high, inverse = _LOWEST, _HIGHEST, 1.0
    for _ in range(_ROUNDS):
        probabilities = (inverse * logits).softmax(dim=1)
        expected = (probabilities * logits).sum(dim=1)
        slope = (expected - wanted).mean().item()
        curvature = ((probabilities * logits**2).sum(dim=1) - expected**2).mean().item()
        low, high = (inverse, high) if slope < 0 else (low, inverse)
        before, inverse = inverse, inverse - slope / curvature if curvature > 0 else math.nan
        if not low <= inverse <= high:
            inverse = math.sqrt(low * high)
        if abs(inverse - before) <= 1e-12 * before:
            break
    return spread / inverse


def _balanced_accuracy(predicted: Tensor, labels: Tensor) -> float:
    present = labels.bincount().nonzero()[:, 0].tolist()
    return float(recall_score(labels, predicted, labels=present, average="macro"))


def _macro_auc(probabilities: Tensor, labels: Tensor) -> float:
    """The mean one-against-rest AUC of the classes that occur; NaN when only one does."""
    present = labels.bincount().nonzero()[:, 0].tolist()
    if len(present) < 2:
        return math.nan
    aucs = [roc_auc_score(labels == index, probabilities[:, index]) for index in present]
    return float(sum(aucs) / len(aucs))
