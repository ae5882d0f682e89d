"""The one temperature that makes the losses of all trials comparable."""

import math

from torch import Tensor

# Bounds of the inverse temperature, in units of the logits' own spread. The lower one is the
# uniform guess.
_LOWEST, _HIGHEST = 1e-3, 1e2
_ROUNDS = 60  # Newton needs 5 to 8; halving alone would need 50 from end to end


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """Fit the temperature: the divisor of all logits that minimises their cross-entropy.

    As Guo et al. 2017 (arXiv:1706.04599, section 4.2), by Newton's method on the inverse
    temperature, in which the loss is convex. The logits' spread is divided out first, so that a
    factor on all logits changes the temperature by that factor and the loss not at all. A label
    counts as right with probability 1 - 1 / (N + 2) (Platt 1999, section 2.2): N images cannot
    support more, and with all of them classified right the loss would otherwise read 1e-6 and less.

    logits: (N, classes), float64.
    labels: (N,).
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
