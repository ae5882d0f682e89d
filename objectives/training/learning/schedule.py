"""What learns when, and how fast each step may be."""

import math
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

from objectives.recipe.optimization import Optimization


def learning_stages(recipe: Optimization, epoch: int) -> int | None:
    """Give how many stages of the backbone, from the last, learn in an epoch; None is all.

    First none (the head alone), then all that ever learn, at once or one after the other.
    """
    if epoch <= recipe.frozen_epochs:
        return 0
    if not recipe.trained_stages:
        return None
    if not recipe.epochs_per_stage:
        return recipe.trained_stages
    opened = 1 + (epoch - recipe.frozen_epochs - 1) // recipe.epochs_per_stage
    return min(opened, recipe.trained_stages)


def epochs_as_now(recipe: Optimization, epoch: int) -> int:
    """Give how many epochs, this one included, the same stages have learned."""
    stages, since = learning_stages(recipe, epoch), epoch
    while since > 1 and learning_stages(recipe, since - 1) == stages:
        since -= 1
    return epoch - since + 1


def learning_rate_at(
    recipe: Optimization, step: int, steps_per_epoch: int, losses: Sequence[float] = ()
) -> float:
    """Give the learning rate of a step: a linear warm-up, then the recipe's schedule.

    In the frozen epochs it is constant, and the rest begins after them. step: optimizer steps
    finished before this one, over all epochs. losses: val_loss of every finished epoch. The cosine
    is that of Loshchilov and Hutter 2017 (arXiv:1608.03983, eq. 5) without restarts.
    """
    frozen = recipe.frozen_epochs * steps_per_epoch
    if step < frozen:
        return (recipe.frozen_learning_rate / recipe.head_multiple) or recipe.learning_rate
    warmup = recipe.warmup_steps or recipe.warmup_epochs * steps_per_epoch
    begun = frozen + warmup
    if step < begun:
        return recipe.learning_rate * (step - frozen + 1) / warmup
    if recipe.schedule == "plateau":
        # A head that stalls beside a frozen backbone says nothing of what comes after.
        told = tuple(losses[math.ceil(begun / steps_per_epoch) :])
        factor, patience = recipe.plateau_factor, recipe.plateau_patience
        return recipe.learning_rate * _plateau(factor, patience, told)
    if recipe.schedule == "constant":
        return recipe.learning_rate
    share = (step - begun) / (recipe.epochs * steps_per_epoch - begun)
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * share))


@lru_cache(1)  # every step of an epoch asks the same
def _plateau(factor: float, patience: int, losses: Sequence[float]) -> float:
    """Replay its epochs so far: what they say is all the state there is, also when resumed."""
    replayed = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    plateau = ReduceLROnPlateau(replayed, factor=factor, patience=patience)
    for loss in losses:
        plateau.step(loss)
    return float(replayed.param_groups[0]["lr"])
