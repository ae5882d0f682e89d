"""What is particular to what a network classifies; the loop is the same for all of it."""

from typing import Protocol

import torch
from torch import Tensor

from objectives.contract import Attempt
from objectives.data.pixels.normalization import Normalization
from objectives.models.classifier import Classifier
from objectives.recipe.classifier import ClassifierRecipe
from objectives.sets.images import ImageSet


class Task(Protocol):
    """A recipe for images or for volumes, with all that only such a recipe knows how to do."""

    @property
    def recipe(self) -> ClassifierRecipe:
        """The hyperparameters that every classifier has."""
        ...

    @property
    def memory_format(self) -> torch.memory_format:
        """How the network and what it is given lie in memory."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape (C, *spatial) of one image as the network sees it."""
        ...

    def open(self, attempt: Attempt, fold: int) -> tuple[ImageSet, ImageSet]:
        """Give the images to train and to validate on, in host memory, as long as they are warm.

        fold: from 1 on; always 1 where there are none. Raises DataError, or SealedSplit for a
        split that the attempt may not open.
        """
        ...

    def build(self, classes: int, table_width: int = 0) -> Classifier:
        """Give the network; what has no weights starts from torch's random state.

        table_width: the columns beside each image, 0 without a table. Raises RecipeError.
        """
        ...

    def augment(
        self, pixels: Tensor, generator: torch.Generator, normalization: Normalization
    ) -> Tensor:
        """Give uint8 pixels (B, C, *spatial) changed for training and normalised, as float32.

        The draws come from the generator alone, which lives on the CPU.
        """
        ...

    def normalize(self, pixels: Tensor, normalization: Normalization) -> Tensor:
        """Give uint8 pixels (B, C, *spatial) as the network validates them, as float32."""
        ...
