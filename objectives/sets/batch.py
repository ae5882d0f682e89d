"""The images of one training or validation step."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Images or volumes with their labels and table rows."""

    pixels: Tensor  # (B, C, *spatial): uint8 in a set of images, float32 for a network
    labels: Tensor  # (B,)
    tabular: Tensor | None = None  # (B, F) float32, the encoded columns; None without a table

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def inputs(self) -> tuple[Tensor, Tensor | None]:
        """The arguments of a classifier."""
        return self.pixels, self.tabular

    def parts(self, at_most: int) -> Iterator["Batch"]:
        """Yield the batch in as few parts as possible with `at_most` images each."""
        # Nearly equal sizes: the BatchNorm statistics of a small last part would be all noise.
        count = ceil(len(self) / at_most)
        pixels, labels = self.pixels.tensor_split(count), self.labels.tensor_split(count)
        tabular = [None] * count if self.tabular is None else self.tabular.tensor_split(count)
        yield from map(Batch, pixels, labels, tabular)
