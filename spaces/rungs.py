"""Rungs: the epochs of a schedule at which a trial is compared with its kin, and how many go on.

Shares, best third and kin were chosen on simulated curves (docs/decisions.md).
"""

from spaces.study import Study

SIXTHS = (1, 2, 4)  # of the schedule after warm-up and unfreezing: rungs 1, 2 and 3
FIRST_EPOCH = 2  # epoch 1 says too little
LEAST_KIN = 4  # nobody is judged before so many were there
ONE_IN = 3


def rung_epochs(
    epochs: int, settled_epoch: int = 0, first_epoch: int = FIRST_EPOCH
) -> dict[int, int]:
    """Return the epoch of each rung that a schedule has, in order; none is its last epoch.

    Shares are counted from the settled epoch, where a cosine begins to fall: trials of another
    warm-up are compared at the same point of theirs. For the same reason no rung is put off: one
    before the first epoch is left out. Of those that fall on one epoch the highest stays.

    epochs: the length of the schedule.
    settled_epoch: the last epoch of warm-up and unfreezing.
    first_epoch: no rung lies before it.
    """
    rung_at: dict[int, int] = {}
    for rung, sixths in enumerate(SIXTHS, start=1):
        epoch = settled_epoch - (-sixths * (epochs - settled_epoch) // 6)
        if first_epoch <= epoch < epochs:
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
