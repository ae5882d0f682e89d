"""The images of one split as tensors, with their labels and the table beside them."""

import mmap
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from objectives.data.manifest.subsample import proportional
from objectives.sets.batch import Batch
from objectives.sets.tabular import Encoding

MAPPED_ROWS = 4  # of a mapped file, in this process at once: 8 MB with what lies around them
CHUNK = 256  # images copied at a time, so that a copy needs no second set of memory


@dataclass(frozen=True, kw_only=True)
class ImageSet:
    """One split, or a sample of it; images or volumes.

    images: (N, C, *spatial) uint8, where they lie. index: (n,) int64, the rows of `images` that
    belong to the set, in order; None for all of them. labels: (n,) int64. groups, paths: one per
    image of the set. tabular: (n, F) float32, the metadata of each by the encoding; None without.
    pages: the file the images are mapped from, let go again as they are read; None in memory.
    """

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    groups: tuple[str, ...]
    index: Tensor | None = None
    pages: mmap.mmap | None = None
    paths: tuple[str, ...] = ()
    tabular: Tensor | None = None
    encoding: Encoding | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def table_width(self) -> int:
        """How many numbers stand beside each image, 0 without a table."""
        return 0 if self.tabular is None else self.tabular.shape[1]

    @property
    def nbytes(self) -> int:
        """The bytes of the set's own pixels."""
        return len(self) * self.images[0].nbytes

    def batch(self, indices: Tensor, out: Tensor | None = None) -> Batch:
        """Give copies of the images of these indices, with their labels and table.

        out: (B, C, *spatial) uint8, where the images are written to instead of into new memory.
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
        """Give the set of these of its images (n,), in this order; no pixels are copied."""
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
        """Give the same set with its own pixels, and no others, on that device."""
        images = torch.empty((len(self), *self.images.shape[1:]), dtype=torch.uint8, device=device)
        for rows in torch.split(torch.arange(len(self), device=self.labels.device), CHUNK):
            images[rows[0] : rows[-1] + 1] = self.batch(rows).pixels
        moved = replace(self, images=images, labels=self.labels.to(device), index=None, pages=None)
        return moved if self.tabular is None else replace(moved, tabular=self.tabular.to(device))


def subsample(images: ImageSet, count: int, seed: int) -> ImageSet:
    """Give a set of `count` of these images, every class in proportion; 0 or too many: all.

    seed: the study's, which alone decides the choice. No pixels are copied. Raises RecipeError
    when there are more classes than images asked for.
    """
    if not 0 < count < len(images):
        return images
    chosen = torch.from_numpy(proportional(images.labels.numpy(), count, seed))
    return images.only(chosen)
