"""When there is no point in going on."""

import math
from collections.abc import Sequence


def best_epoch(losses: Sequence[float]) -> int | None:
    """Give the epoch (from 1) of the lowest loss, the first of equals; None if all are NaN."""
    finite = [(loss, epoch) for epoch, loss in enumerate(losses, 1) if not math.isnan(loss)]
    return min(finite)[1] if finite else None


def has_stalled(
    losses: Sequence[float], patience: int, min_epochs: int = 0, settled_epoch: int = 0
) -> bool:
    """Say whether the best loss is `patience` epochs old; never before `min_epochs`.

    settled_epoch: the last one of warm-up and unfreezing, from which patience counts: a head that
    stalls beside a frozen backbone says nothing of what comes after. A patience of 0 never ends.
    """
    age = len(losses) - max(best_epoch(losses) or 0, settled_epoch)
    return 0 < patience <= age and len(losses) >= min_epochs
