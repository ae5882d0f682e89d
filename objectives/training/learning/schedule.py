"""The stages that learn in each epoch, and the learning rates of each step."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

from objectives.recipe.optimization import Optimization


@dataclass(frozen=True)
class Rates:
    """The learning rates of one step, by part of the network.

    head: of everything behind the backbone.
    last_stage: of the backbone's last stage.
    layer_decay: the rate of each stage as a share of the next stage's.
    """

    head: float
    last_stage: float
    layer_decay: float

    def of_stage(self, before_last: int) -> float:
        """Compute the rate of the stage that stands so many stages before the last one."""
        return self.last_stage * self.layer_decay**before_last

    def highest(self, stages: int | None) -> float:
        """Return the highest rate of the parts that learn.

        stages: of the backbone that learn, from the last; None means all.
        """
        return self.head if stages == 0 else max(self.head, self.last_stage)


def learning_stages(recipe: Optimization, epoch: int) -> int | None:
    """Count the stages of the backbone that learn in an epoch, from the last; None means all.

    In the frozen epochs the count is 0. Then the trained stages learn, all at once or one by one.
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
    """Count the epochs, up to and with this one, in which the same stages have learned."""
    stages, since = learning_stages(recipe, epoch), epoch
    while since > 1 and learning_stages(recipe, since - 1) == stages:
        since -= 1
    return epoch - since + 1


def learning_rates_at(
    recipe: Optimization, step: int, steps_per_epoch: int, losses: Sequence[float] = ()
) -> Rates:
    """Compute the learning rates of a step: a linear warm-up, then the recipe's schedule.

    In the frozen epochs the head's rate is constant; warm-up and schedule begin after them. The
    cosine is that of Loshchilov and Hutter 2017 (arXiv:1608.03983, eq. 5) without restarts.

    step: optimizer steps finished before this one, over all epochs.
    losses: val_loss of every finished epoch.
    """
    frozen = recipe.frozen_epochs * steps_per_epoch
    if step < frozen and recipe.frozen_learning_rate:
        # Divided here and multiplied again in `rates_from`: the head's rate, to the last bit.
        return rates_from(recipe, recipe.frozen_learning_rate / recipe.head_multiple)
    if step < frozen:
        return rates_from(recipe, recipe.learning_rate)
    return rates_from(recipe, _after_freezing(recipe, step, steps_per_epoch, losses))


def rates_from(recipe: Optimization, rate: float) -> Rates:
    """Compute the rates of all parts of the network from that of the backbone's last stage."""
    return Rates(rate * recipe.head_multiple, rate, recipe.layer_decay)


def _after_freezing(
    recipe: Optimization, step: int, steps_per_epoch: int, losses: Sequence[float]
) -> float:
    frozen = recipe.frozen_epochs * steps_per_epoch
    warmup = recipe.warmup_steps or recipe.warmup_epochs * steps_per_epoch
    begun = frozen + warmup
    if step < begun:
        return recipe.learning_rate * (step - frozen + 1) / warmup
    if recipe.schedule == "plateau":
        # A plateau beside a frozen backbone, or in the warm-up, does not predict later epochs.
        judged = tuple(losses[math.ceil(begun / steps_per_epoch) :])
        factor, patience = recipe.plateau_factor, recipe.plateau_patience
        return recipe.learning_rate * _plateau(factor, patience, judged)
    if recipe.schedule == "constant":
        return recipe.learning_rate
    share = (step - begun) / (recipe.epochs * steps_per_epoch - begun)
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * share))


@lru_cache(1)  # every step of an epoch calls it with the same arguments
def _plateau(factor: float, patience: int, losses: Sequence[float]) -> float:
    """Replay the epochs so far, so that a resumed trial needs no state but their losses."""
    replayed = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    plateau = ReduceLROnPlateau(replayed, factor=factor, patience=patience)
    for loss in losses:
        plateau.step(loss)
    return float(replayed.param_groups[0]["lr"])
