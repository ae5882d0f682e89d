"""Some images of a set on their way through a step."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Images or volumes with what stands beside each of them.

    pixels: (B, C, *spatial), uint8 as they lie or float32 as a network sees them. labels: (B,).
    tabular: (B, F) float32, the encoded columns of their rows; None without a table.
    """

    pixels: Tensor
    labels: Tensor
    tabular: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def inputs(self) -> tuple[Tensor, Tensor | None]:
        """What a classifier is called with."""
        return self.pixels, self.tabular

    def parts(self, at_most: int) -> Iterator["Batch"]:
        """Yield the batch in as few parts as there must be with so many images at most."""
        # Of nearly equal size: no small last part whose BatchNorm statistics are all noise.
        count = ceil(len(self) / at_most)
        pixels, labels = self.pixels.tensor_split(count), self.labels.tensor_split(count)
        tabular = [None] * count if self.tabular is None else self.tabular.tensor_split(count)
        yield from map(Batch, pixels, labels, tabular)
