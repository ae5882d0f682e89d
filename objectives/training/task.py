"""The parts of training that differ between images and volumes; the loop is the same for both."""

from typing import Protocol

import torch
from torch import Tensor

from objectives.contract import Attempt
from objectives.data.pixels.normalization import Normalization
from objectives.models.classifier import Classifier
from objectives.recipe.classifier import ClassifierRecipe
from objectives.sets.images import ImageSet


class Task(Protocol):
    """A recipe, with the functions of training that differ between images and volumes."""

    @property
    def recipe(self) -> ClassifierRecipe:
        """The hyperparameters that every classifier has."""
        ...

    @property
    def memory_format(self) -> torch.memory_format:
        """The memory layout of the network and of its inputs."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape (C, *spatial) of one image as the network sees it."""
        ...

    def open(self, attempt: Attempt, fold: int) -> tuple[ImageSet, ImageSet]:
        """Open the images to train and to validate on, in host memory.

        They stay there for the next trial. Raises DataError, or SealedSplit for a split that the
        attempt may not open.

        fold: from 1; always 1 without folds.
        """
        ...

    def build(self, classes: int, table_width: int = 0) -> Classifier:
        """Build the network; parts without weights start from torch's random state.

        Raises RecipeError.

        table_width: columns beside each image, 0 without a table.
        """
        ...

    def augment(
        self, pixels: Tensor, generator: torch.Generator, normalization: Normalization
    ) -> Tensor:
        """Change uint8 pixels (B, C, *spatial) for training; return them normalised, as float32.

        All random draws come from the generator, which is on the CPU.
        """
        ...

    def normalize(self, pixels: Tensor, normalization: Normalization) -> Tensor:
        """Turn uint8 pixels (B, C, *spatial) into the float32 that the network validates."""
        ...
