"""Train one classifier of volumes, epoch by epoch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from objectives.augment.volumes import augment_volumes, normalize_volumes
from objectives.contract import Attempt, EpochResult
from objectives.data.layouts.readers import open_layout
from objectives.data.pixels.normalization import Normalization
from objectives.data.pixels.volumes import STANDARDIZED
from objectives.models.classifier import Classifier
from objectives.models.heads import build_head
from objectives.models.volume_networks import build_volume_backbone
from objectives.recipe.volume import VolumeRecipe
from objectives.sets.images import ImageSet
from objectives.sets.opened import open_images
from objectives.training.loop import train_classifier


def train(config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
    """Yield each epoch's result once its checkpoint is on disk; see `train_classifier`.

    Raises RecipeError, DataError or OutOfMemory.

    config: the fields of VolumeRecipe.
    """
    recipe = VolumeRecipe.from_config(config)
    shape = open_layout(attempt.data).pixels_shape(recipe.image_size)
    yield from train_classifier(VolumeTask(recipe, modalities=shape[0]), attempt)


@dataclass(frozen=True)
class VolumeTask:
    """The parts of training that differ for volumes; see `Task`."""

    recipe: VolumeRecipe
    modalities: int
    memory_format: ClassVar = torch.channels_last_3d

    @property
    def shape(self) -> tuple[int, ...]:
        """The modalities and the three sides of a cube."""
        return (self.modalities, *[self.recipe.image_size] * 3)

    def open(self, attempt: Attempt, fold: int) -> tuple[ImageSet, ImageSet]:
        """Open the training and the validation volumes, decoded at the network's size."""
        at_most = {"train": self.recipe.max_train_samples, "val": self.recipe.max_val_samples}
        splits = open_images(attempt, self.recipe.image_size, at_most=at_most, fold=fold)
        return splits["train"], splits["val"]

    def build(self, classes: int, table_width: int = 0) -> Classifier:
        """Build the recipe's backbone and head."""
        backbone = build_volume_backbone(self.recipe, self.modalities)
        head = build_head(self.recipe, backbone.features, classes)
        return Classifier(backbone.network, head, STANDARDIZED)

    def augment(
        self, pixels: Tensor, generator: torch.Generator, normalization: Normalization
    ) -> Tensor:
        """Move voxels by the recipe's level of augmentation, and turn them into z-scores."""
        return augment_volumes(pixels, generator, self.recipe.augmentation, normalization)

    def normalize(self, pixels: Tensor, normalization: Normalization) -> Tensor:
        """Turn voxels into z-scores."""
        return normalize_volumes(pixels, normalization)
