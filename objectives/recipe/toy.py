"""The hyperparameters of the training curve without a network."""

from dataclasses import dataclass
from typing import ClassVar

from objectives.recipe.fields import Recipe, number, whole
from objectives.recipe.optimization import check_warmup_leaves_room


@dataclass(frozen=True, kw_only=True)
class ToyRecipe(Recipe):
    """A training curve without a network, for tests and demos."""

    objective: ClassVar[str] = "toy_curve"

    learning_rate: float = number(
        1e-2, 1e-8, 10.0, "Best near 0.01; the further away, the worse the curve."
    )
    epochs: int = whole(
        10, 1, 100_000, "Length of the curve; with folds, of each curve.", unit="epochs"
    )
    warmup_epochs: int = whole(0, 0, 100, "Epochs in which progress is halved.", unit="epochs")
    noise: float = number(0.01, 0.0, 1.0, "Standard deviation of each epoch's val_loss.")
    seconds_per_epoch: float = number(0.0, 0.0, 3600.0, "Time that an epoch sleeps.", unit="s")
    fail_at: int = whole(0, 0, 100_000, "The epoch in which an exception is raised; 0 is never.")
    diverge_at: int = whole(0, 0, 100_000, "The epoch from which val_loss is NaN; 0 is never.")
    weight_bytes: int = whole(
        0, 0, 1_000_000_000, "Size of the weights that it leaves; 0 leaves none.", unit="bytes"
    )

    def __post_init__(self) -> None:
        check_warmup_leaves_room(self.objective, self.epochs, self.warmup_epochs)

    @property
    def settled_epoch(self) -> int:
        """The last epoch of the warm-up."""
        return self.warmup_epochs
