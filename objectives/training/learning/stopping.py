"""Find the best epoch, and decide whether training has stalled."""

import math
from collections.abc import Sequence


def best_epoch(losses: Sequence[float]) -> int | None:
    """Find the epoch (from 1) of the lowest loss, the first of equals; None if all are NaN."""
    finite = [(loss, epoch) for epoch, loss in enumerate(losses, 1) if not math.isnan(loss)]
    return min(finite)[1] if finite else None


def has_stalled(
    losses: Sequence[float], patience: int, min_epochs: int = 0, settled_epoch: int = 0
) -> bool:
    """Return whether the best loss is `patience` epochs old; never before `min_epochs`.

    patience: 0 never ends training.
    settled_epoch: the last epoch of warm-up and unfreezing. Patience counts from there, since a
        plateau beside a frozen backbone does not predict later epochs.
    """
    age = len(losses) - max(best_epoch(losses) or 0, settled_epoch)
    return 0 < patience <= age and len(losses) >= min_epochs
