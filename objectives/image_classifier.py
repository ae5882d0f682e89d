"""Train one image classifier, epoch by epoch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from objectives.augment.images import augment, normalize
from objectives.contract import Attempt, EpochResult
from objectives.data.pixels.normalization import Normalization
from objectives.models.backbones import own_image_size
from objectives.models.classifier import Classifier, build_classifier
from objectives.recipe.image import ImageRecipe
from objectives.sets.images import ImageSet
from objectives.sets.opened import open_images
from objectives.training.loop import train_classifier


def train(config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
    """Yield each epoch's result once its checkpoint is on disk; see `train_classifier`.

    Raises RecipeError, DataError or OutOfMemory.

    config: the fields of ImageRecipe.
    """
    yield from train_classifier(ImageTask(ImageRecipe.from_config(config)), attempt)


@dataclass(frozen=True)
class ImageTask:
    """The parts of training that differ for images; see `Task`."""

    recipe: ImageRecipe
    memory_format: ClassVar = torch.channels_last

    @property
    def shape(self) -> tuple[int, ...]:
        """Three colours and the two sides of a square."""
        size = self.recipe.image_size or own_image_size(self.recipe.backbone)
        return (3, size, size)

    def open(self, attempt: Attempt, fold: int) -> tuple[ImageSet, ImageSet]:
        """Open the training and the validation images, decoded at the network's size."""
        at_most = {"train": self.recipe.max_train_samples, "val": self.recipe.max_val_samples}
        with_table = self.recipe.use_metadata
        splits = open_images(
            attempt, self.shape[-1], at_most=at_most, fold=fold, with_table=with_table
        )
        return splits["train"], splits["val"]

    def build(self, classes: int, table_width: int = 0) -> Classifier:
        """Build the recipe's backbone and head, and a branch for a table."""
        return build_classifier(self.recipe, classes, table_width)

    def augment(
        self, pixels: Tensor, generator: torch.Generator, normalization: Normalization
    ) -> Tensor:
        """Change pixels by the recipe's level of augmentation, and normalise them."""
        return augment(pixels, generator, self.recipe.augmentation, normalization)

    def normalize(self, pixels: Tensor, normalization: Normalization) -> Tensor:
        """Normalise pixels."""
        return normalize(pixels, normalization)
