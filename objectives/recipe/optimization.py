"""The hyperparameters of training: optimizer, learning rates, phases, and when it ends."""

import math
from dataclasses import dataclass

from objectives.contract import RecipeError
from objectives.recipe.fields import Recipe, at_least, choice, number, when, whole

_MOMENTUM = when(optimizer=("sgd", "rmsprop", "rmsprop_tf"))


@dataclass(frozen=True, kw_only=True)
class Optimization(Recipe):
    """Optimizer, learning rates, schedule, frozen phases and early stopping."""

    optimizer: str = choice(
        "adamw",
        ("sgd", "rmsprop", "rmsprop_tf", "adam", "adamw"),
        "How gradients become steps; norms and biases have no weight decay. rmsprop is torch's, "
        "whose first step is ten times the learning rate; rmsprop_tf is TensorFlow's.",
        source="adamw: Loshchilov and Hutter 2019, arXiv:1711.05101",
    )
    momentum: float = number(
        0.9, 0.0, 0.999, "Share of the last step that goes into the next one.", acts_when=_MOMENTUM
    )
    learning_rate: float = number(
        1e-4, 1e-8, 10.0, "The highest learning rate, reached at the end of the warm-up."
    )
    head_multiple: float = number(
        1.0, 0.01, 100.0, "The head's learning rate as a multiple of the backbone's."
    )
    layer_decay: float = number(
        1.0,
        0.1,
        1.0,
        "Learning rate of each stage of the backbone as a share of the next stage's.",
        source="Clark et al. 2020, arXiv:2003.10555; Bao et al. 2021, arXiv:2106.08254",
    )
    weight_decay: float = number(
        0.01, 0.0, 1.0, "Decoupled with adamw, a part of the gradient with the others."
    )
    batch_size: int = whole(
        32,
        2,
        4096,
        "Images per optimizer step, at most; micro_batch says how many pass at once. In batches of "
        "2, an image that is left over joins another step, which then has 3.",
        unit="images",
    )
    clip_norm: float = number(
        0.0,
        0.0,
        1000.0,
        "Largest length of a step's gradient; a longer one is shortened. 0 is no limit.",
    )
    ema_decay: float = number(
        0.0,
        0.0,
        0.99999,
        "How slowly averaged weights follow the trained ones; above 0 the average is validated and "
        "kept.",
        source="as TensorFlow's ExponentialMovingAverage: min(decay, (1 + steps) / (10 + steps))",
    )
    schedule: str = choice(
        "cosine",
        ("cosine", "plateau", "constant"),
        "After the warm-up: a cosine to zero, a factor whenever val_loss stalls, or no change.",
        source="cosine: Loshchilov and Hutter 2017, arXiv:1608.03983",
    )
    epochs: int = whole(10, 1, 1000, "Passes over the training split.", unit="epochs")
    warmup_epochs: int = whole(
        1,
        0,
        100,
        "Epochs in which the learning rate rises, step by step.",
        unit="epochs",
        acts_when=when(warmup_steps=0),
    )
    warmup_steps: int = whole(
        0, 0, 100_000, "The same in optimizer steps; 0 leaves it to warmup_epochs.", unit="steps"
    )
    plateau_factor: float = number(
        0.5,
        0.01,
        0.99,
        "Factor on the learning rate when val_loss stalls.",
        acts_when=when(schedule="plateau"),
    )
    plateau_patience: int = whole(
        3,
        0,
        100,
        "Epochs without a better val_loss before the factor is applied.",
        unit="epochs",
        acts_when=when(schedule="plateau"),
    )
    frozen_epochs: int = whole(
        0, 0, 100, "Epochs at the start in which only the head learns.", unit="epochs"
    )
    frozen_learning_rate: float = number(
        0.0,
        0.0,
        10.0,
        "The head's learning rate in the frozen epochs; 0 is learning_rate times head_multiple.",
        acts_when=when(frozen_epochs=at_least(1)),
    )
    trained_stages: int = whole(
        0, 0, 100, "How many stages of the backbone, from the last one, ever learn; 0 is all."
    )
    epochs_per_stage: int = whole(
        0,
        0,
        100,
        "Epochs from the unfreezing of one stage to that of the next; 0 is all at once.",
        unit="epochs",
        source="gradual unfreezing: Howard and Ruder 2018, arXiv:1801.06146, section 3.3",
        acts_when=when(trained_stages=at_least(2)),
    )
    patience: int = whole(
        0,
        0,
        1000,
        "Epochs without a better val_loss before training ends; 0 is never.",
        unit="epochs",
    )
    min_epochs: int = whole(
        0,
        0,
        1000,
        "Epochs that are trained in any case.",
        unit="epochs",
        acts_when=when(patience=at_least(1)),
    )

    @property
    def settled_epoch(self) -> int:
        """The last epoch of warm-up and unfreezing; a pruner may judge the later ones.

        A warm-up in steps is left out, since the number of steps in an epoch depends on the data.
        """
        warmup = 0 if self.warmup_steps else self.warmup_epochs
        # The first epoch after an unfreezing does not predict the later ones.
        unfrozen = self.unfrozen_epoch
        return max(self.frozen_epochs + warmup, unfrozen + 1 if unfrozen else 0)

    @property
    def unfrozen_epoch(self) -> int:
        """The last epoch before all stages learn that ever do; 0 where they do from the start."""
        return self.frozen_epochs + max(0, self.trained_stages - 1) * self.epochs_per_stage


def check_optimization(recipe: Optimization) -> None:
    """Raise RecipeError for phases that do not fit into the schedule."""
    warmup = 0 if recipe.warmup_steps else recipe.warmup_epochs
    if recipe.frozen_epochs and recipe.frozen_epochs + warmup >= recipe.epochs:
        raise RecipeError(
            f"{recipe.objective}: {recipe.frozen_epochs} frozen and {warmup} warmup epochs leave "
            f"nothing of {recipe.epochs} epochs",
            fix=f"set frozen_epochs and warmup_epochs to {recipe.epochs - 1} or less together",
        )
    check_warmup_leaves_room(recipe.objective, recipe.epochs, warmup)
    _check_unfreezing(recipe)
    if recipe.patience and recipe.min_epochs > recipe.epochs:
        raise RecipeError(
            f"{recipe.objective}: min_epochs {recipe.min_epochs} is more than the {recipe.epochs} "
            "epochs there are",
            fix=f"set min_epochs to {recipe.epochs} or less",
        )


def _check_unfreezing(recipe: Optimization) -> None:
    if recipe.epochs_per_stage and not recipe.trained_stages:
        raise RecipeError(
            f"{recipe.objective}: epochs_per_stage is {recipe.epochs_per_stage} and trained_stages "
            "does not say for how many stages",
            fix="set trained_stages, or epochs_per_stage to 0",
        )
    if recipe.epochs_per_stage and recipe.unfrozen_epoch >= recipe.epochs:
        raise RecipeError(
            f"{recipe.objective}: the last of {recipe.trained_stages} stages would begin to learn "
            f"after epoch {recipe.unfrozen_epoch} of {recipe.epochs}",
            fix="set epochs_per_stage or frozen_epochs lower, or epochs higher",
        )


def check_warmup_steps(recipe: Optimization, images: int) -> None:
    """Raise RecipeError where a warm-up in steps never ends.

    images: the number that an epoch trains on.
    """
    learning = recipe.epochs - recipe.frozen_epochs
    steps = learning * steps_per_epoch(images, recipe.batch_size)
    if recipe.warmup_steps >= steps:
        raise RecipeError(
            f"{recipe.objective}: {recipe.warmup_steps} warmup_steps leave nothing of the {steps} "
            f"steps of {learning} epochs",
            fix=f"set warmup_steps to {max(0, steps - 1)} or less",
        )


def steps_per_epoch(images: int, batch_size: int) -> int:
    """Count the steps of an epoch; none has a single image, which BatchNorm cannot learn from."""
    return min(math.ceil(images / batch_size), images // 2)


def check_warmup_leaves_room(objective: str, epochs: int, warmup: int) -> None:
    """Raise RecipeError unless epochs are left after those of the warm-up."""
    if warmup >= epochs:
        raise RecipeError(
            f"{objective}: {warmup} warmup epochs leave nothing of {epochs} epochs",
            fix=f"set warmup_epochs to {max(0, epochs - 1)} or less",
        )
