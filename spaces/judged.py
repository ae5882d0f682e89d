"""When pruning begins: how many trials must have ended, and at which epoch a trial is judged."""

import math

from spaces.study import Study


def startup_trials(study: Study) -> int:
    """Return the number of trials that must have run to their end before any is judged.

    With folds it is 1, because the paired test accounts for its own uncertainty.
    """
    if study.pruning.startup_trials is not None:
        return study.pruning.startup_trials
    if study.folds:
        return 1
    return min(8, max(3, study.trials // 4))


def first_judged_epoch(study: Study, epochs: int, settled_epoch: int) -> int:
    """Return the first epoch at which a trial may be stopped: once settled, never epoch 1.

    epochs: the length of its schedule.
    settled_epoch: the last epoch of its warm-up and unfreezing.
    """
    if study.pruning.first_epoch is not None:
        return study.pruning.first_epoch
    return max(2, settled_epoch + 1, math.ceil(epochs / 4))
