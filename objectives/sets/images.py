"""The images of one split as tensors, with their labels and the table beside them."""

import mmap
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from objectives.data.manifest.subsample import proportional
from objectives.sets.batch import Batch
from objectives.sets.tabular import Encoding

MAPPED_ROWS = 4  # of a mapped file, in this process at once: 8 MB with the pages around them
CHUNK = 256  # images copied at a time, so that a copy needs no second set of memory


@dataclass(frozen=True, kw_only=True)
class ImageSet:
    """One split, or a sample of it; images or volumes.

    n is the number of images in the set, N that of images in memory or in the file below it.
    """

    images: Tensor  # (N, C, *spatial) uint8
    labels: Tensor  # (n,) int64
    classes: tuple[str, ...]
    groups: tuple[str, ...]  # one per image of the set
    index: Tensor | None = None  # (n,) int64, its rows of `images` in order; None for all of them
    pages: mmap.mmap | None = None  # the mapped file of the images; None in memory
    paths: tuple[str, ...] = ()  # one per image of the set
    tabular: Tensor | None = None  # (n, F) float32, the metadata by the encoding
    encoding: Encoding | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def table_width(self) -> int:
        """The number of columns beside each image, 0 without a table."""
        return 0 if self.tabular is None else self.tabular.shape[1]

    @property
    def nbytes(self) -> int:
        """The bytes of the set's own pixels."""
        return len(self) * self.images[0].nbytes

    def batch(self, indices: Tensor, out: Tensor | None = None) -> Batch:
        """Copy the images of these indices, with their labels and table rows.

        indices: (B,), counted within the set.
        out: (B, C, *spatial) uint8, written to instead of new memory.
        """
        rows = indices if self.index is None else self.index[indices]
        if out is None:
            out = self.images.new_empty((len(rows), *self.images.shape[1:]))
        at_once = len(rows) if self.pages is None else MAPPED_ROWS
        # Rows of a flat array: 4-D uint8 indexing is 5 (32 px) to 15 (224 px) times slower.
        images, flat = self.images.flatten(1), out.flatten(1)
        for some, to in zip(torch.split(rows, at_once), torch.split(flat, at_once), strict=True):
            torch.index_select(images, 0, some, out=to)
            if self.pages is not None:
                self.pages.madvise(mmap.MADV_DONTNEED)  # see `let_go`
        tabular = None if self.tabular is None else self.tabular[indices]
        return Batch(out, self.labels[indices], tabular)

    def only(self, chosen: Tensor) -> "ImageSet":
        """Return the set of some of its images, in this order; no pixels are copied.

        chosen: (n,) int64, counted within this set.
        """
        rows = chosen.tolist()
        return replace(
            self,
            labels=self.labels[chosen],
            groups=tuple(self.groups[row] for row in rows),
            index=chosen if self.index is None else self.index[chosen],
            paths=tuple(self.paths[row] for row in rows),
            tabular=None if self.tabular is None else self.tabular[chosen],
        )

    def to(self, device: str) -> "ImageSet":
        """Copy the set, with the pixels of its own images alone, to a device."""
        images = torch.empty((len(self), *self.images.shape[1:]), dtype=torch.uint8, device=device)
        for rows in torch.split(torch.arange(len(self), device=self.labels.device), CHUNK):
            images[rows[0] : rows[-1] + 1] = self.batch(rows).pixels
        moved = replace(self, images=images, labels=self.labels.to(device), index=None, pages=None)
        return moved if self.tabular is None else replace(moved, tabular=self.tabular.to(device))


def subsample(images: ImageSet, count: int, seed: int) -> ImageSet:
    """Choose `count` of these images with every class in proportion; 0 or too many takes all.

    No pixels are copied. Raises RecipeError when there are more classes than `count`.

    seed: the study's, which alone decides the choice.
    """
    if not 0 < count < len(images):
        return images
    chosen = torch.from_numpy(proportional(images.labels.numpy(), count, seed))
    return images.only(chosen)
