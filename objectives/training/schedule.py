"""How fast each step may learn."""

import math

from objectives.recipe.image import ImageRecipe


def learning_rate_at(recipe: ImageRecipe, step: int, steps_per_epoch: int) -> float:
    """Give the learning rate of a step: a linear warm-up, then a cosine to zero.

    step: optimizer steps finished before this one, over all epochs. The cosine is that of
    Loshchilov and Hutter 2017 (arXiv:1608.03983, eq. 5) without restarts.
    """
    warmup = recipe.warmup_epochs * steps_per_epoch
    if step < warmup:
        return recipe.learning_rate * (step + 1) / warmup
    share = (step - warmup) / (recipe.epochs * steps_per_epoch - warmup)
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * share))
