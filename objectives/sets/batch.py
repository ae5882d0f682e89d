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

    def parts(self, at_most: int) -> Iterator["Part"]:
        """Yield the batch in as few parts as possible with `at_most` images each.

        A single image is left over only in parts of 2. The image before it passes again beside it,
        because BatchNorm cannot learn from one.
        """
        # Nearly equal sizes: the BatchNorm statistics of a small last part would be all noise.
        count = ceil(len(self) / at_most)
        pixels, labels = self.pixels.tensor_split(count), self.labels.tensor_split(count)
        tabular = [None] * count if self.tabular is None else self.tabular.tensor_split(count)
        *others, last = map(Part, pixels, labels, tabular)
        yield from others
        yield self._last_two() if others and len(last) == 1 < at_most else last

    def _last_two(self) -> "Part":
        table = None if self.tabular is None else self.tabular[-2:]
        return Part(self.pixels[-2:], self.labels[-2:], table, repeated=1)


@dataclass(frozen=True)
class Part(Batch):
    """Some images of a batch, which pass through the network at once.

    repeated: the number of images, at the beginning, that another part has too.
    """

    repeated: int = 0

    def count_once(self, losses: Tensor) -> Tensor:
        """Return the losses (B,) without those that count in another part."""
        return losses[self.repeated :]
