"""Rungs: the epochs of a schedule at which a trial is compared with its kin, and how many go on.

Shares, best third and kin were chosen on simulated curves (docs/decisions.md).
"""

from spaces.study import Study

SIXTHS = (1, 2, 4)  # of the schedule: rungs 1, 2 and 3
FIRST_EPOCH = 2  # epoch 1 says too little
LEAST_KIN = 4  # nobody is judged before so many were there
ONE_IN = 3


def rung_epochs(
    epochs: int, settled_epoch: int = 0, first_epoch: int = FIRST_EPOCH
) -> dict[int, int]:
    """Return the epoch of each rung that a schedule has, in order; none is its last epoch.

    Rungs that fall on one epoch of a short schedule are one: the highest of them.

    epochs: the length of the schedule.
    settled_epoch: the last epoch of warm-up and unfreezing.
    first_epoch: no rung lies before it.
    """
    rung_at: dict[int, int] = {}
    for rung, sixths in enumerate(SIXTHS, start=1):
        epoch = max(first_epoch, settled_epoch + 1, -(-sixths * epochs // 6))
        if epoch < epochs:
            rung_at[epoch] = rung
    return {rung: epoch for epoch, rung in rung_at.items()}


def rungs_of(study: Study, epochs: int, settled_epoch: int) -> dict[int, int]:
    """Return the epoch of each rung of a trial's schedule in this study; {} with folds."""
    if study.folds or not study.pruning.at_rungs:
        return {}
    return rung_epochs(epochs, settled_epoch, study.pruning.first_epoch or FIRST_EPOCH)


def kept_of(among: int) -> int:
    """Return how many of the trials at a rung go on: the best third, and all while they are few."""
    return among if among < LEAST_KIN else -(-among // ONE_IN)
