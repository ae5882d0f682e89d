"""The images of a study, split by split, as tensors that stay warm from one trial to the next."""

import hashlib
import json
import mmap
import os
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from objectives.contract import DataError, DataSource
from objectives.data.layouts.layout import Layout
from objectives.data.layouts.readers import open_layout
from objectives.data.manifest.listed import manifest_of
from objectives.data.manifest.manifest import Manifest, Row
from objectives.data.manifest.splits import SPLITS
from objectives.data.manifest.subsample import proportional
from objectives.data.pixels.decode import Pixels
from objectives.sets.batch import Batch
from objectives.sets.cache import Array, CachedArray, let_go
from objectives.sets.progress import DecodingLog
from objectives.sets.tabular import Encoding, fit_encoding

DECODING = 2  # raised whenever the same file becomes other pixels: old caches are built again
MAPPED_ROWS = 4  # of a mapped file, in this process at once: 8 MB with what lies around them
_POOL = "pool"  # what train and validation images of all folds are called together
CHUNK = 256  # images in flight while decoding or copying: enough for every core, flat in memory


class SealedSplit(Exception):
    """A split that this attempt may not open; only `search confirm` opens the test split."""


@dataclass(frozen=True)
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


class OpenSplits(dict[str, ImageSet]):
    """The splits an attempt may see; asking for another raises SealedSplit."""

    def __missing__(self, split: str) -> ImageSet:
        raise SealedSplit(
            f"the {split} split is sealed during a search (C14); let the objective judge by "
            f"{' and '.join(self)} alone: only `search confirm` opens the test"
        )


_sets: dict[tuple[Hashable, ...], ImageSet] = {}


def open_images(
    source: DataSource,
    image_size: int,
    splits: Iterable[str] = ("train", "val"),
    cache: Path | None = None,
    progress: Callable[[], None] = lambda: None,
    at_most: Mapping[str, int] | None = None,
    fold: int = 1,
    *,
    with_table: bool = False,
) -> OpenSplits:
    """Give these splits decoded at image_size, out of memory or the cache folder if they are there.

    No file of another split is decoded. progress: called for every image decoded. at_most: how many
    images of a split, see `subsample`; without folds no others are decoded for it. fold: the one
    that is validated, where there are folds: all of them share what is decoded once. with_table:
    whether the metadata of the images comes with them. Raises DataError with the path of an image
    that cannot be read.
    """
    manifest = manifest_of(source, cache)
    _drop_other_data(manifest)
    if with_table and not manifest.columns:
        raise DataError(
            f"{source.folder or 'this data set'}: the images have no table beside them; name "
            "its columns in `metadata` of the study's data, or set use_metadata to false"
        )
    opening = _Opening(
        source=source,
        layout=open_layout(source),
        manifest=manifest,
        image_size=image_size,
        cache=cache,
        progress=progress,
    )
    opened = OpenSplits()
    for split in splits:
        if split not in SPLITS:
            raise ValueError(f"no split is called {split!r}; use one of {', '.join(SPLITS)}")
        asked, rows = (at_most or {}).get(split, 0), manifest.split(split, fold)
        if not rows:
            raise DataError(f"there is no {split} image to open; give the study a {split} split")
        count = asked if asked < len(rows) else 0
        key = (manifest.fingerprint, source.split_seed, image_size, split, fold, with_table)
        if (*key, count) not in _sets:
            is_folded = manifest.folds > 0 and split != "test"
            whole = opening.of_pool(rows) if is_folded else _sets.get((*key, 0))
            images = opening.sample(split, rows, count, whole)
            _sets[*key, count] = _tabulated(images, manifest, fold) if with_table else images
        opened[split] = _sets[*key, count]
    return opened


def forget() -> None:
    """Drop what is kept warm, for a process that turns to other data."""
    _sets.clear()


def _drop_other_data(manifest: Manifest) -> None:
    """Keep the images of one manifest at a time: two studies' data may not fit into memory."""
    for key in [key for key in _sets if key[0] != manifest.fingerprint]:
        del _sets[key]


@dataclass(frozen=True, kw_only=True)
class _Opening:
    """A study's images at one size: where their pixels come from on this machine."""

    source: DataSource
    layout: Layout
    manifest: Manifest
    image_size: int
    cache: Path | None
    progress: Callable[[], None]

    def of_pool(self, rows: Sequence[Row]) -> ImageSet:
        """Give these rows out of all that folds are made of, which are decoded once for all."""
        key = (self.manifest.fingerprint, self.image_size, _POOL)
        if key not in _sets:
            everything = [row for row in self.manifest.rows if row.split == "train"]
            _sets[key] = self.sample(_POOL, everything, 0, None)
        place = {path: row for row, path in enumerate(_sets[key].paths)}
        return _sets[key].only(torch.tensor([place[row.path] for row in rows]))

    def sample(
        self, name: str, rows: Sequence[Row], count: int, whole: ImageSet | None
    ) -> ImageSet:
        """Give `count` of the rows, 0 for all, out of the whole set where that is decoded already.

        name: what the set is called in the cache folder.
        """
        key, seed = self._key(name), self.source.split_seed
        if whole is None and count and self.cache is not None:
            kept = self._cached(self.cache, key, rows).read()
            whole = None if kept is None else self._image_set(rows, kept)
        if whole is not None:
            return subsample(whole, count, seed)
        if not count:
            return self._image_set(rows, self._pixels(rows, key))
        labels = np.array([row.class_index for row in rows])
        chosen = [rows[row] for row in proportional(labels, count, seed)]
        return self._image_set(chosen, self._pixels(chosen, f"{key}-{count}-seed{seed}"))

    def _pixels(self, rows: Sequence[Row], key: str) -> Array:
        """Give the rows' pixels, out of the cache folder if there is one."""

        def fill(array: Array) -> None:
            told = DecodingLog(len(rows), self.image_size, self.cache)
            _decode_all([row.path for row in rows], self._decode, array, self.progress, told)

        if self.cache is not None:
            return self._cached(self.cache, key, rows).open(fill, self.progress)
        array: Array = np.empty(self._shape(rows), dtype=np.uint8)
        fill(array)
        return array

    def _decode(self, path: str) -> Pixels:
        return self.layout.pixels_of(path, self.image_size)

    def _cached(self, cache: Path, key: str, rows: Sequence[Row]) -> CachedArray:
        return CachedArray(folder=cache, key=key, stamp=_stamp(rows), shape=self._shape(rows))

    def _image_set(self, rows: Sequence[Row], array: Array) -> ImageSet:
        return ImageSet(
            images=torch.from_numpy(array),
            labels=torch.tensor([row.class_index for row in rows]),
            classes=self.manifest.classes,
            groups=tuple(row.group for row in rows),
            paths=tuple(row.path for row in rows),
            pages=array.base if isinstance(array.base, mmap.mmap) else None,
        )

    def _key(self, name: str) -> str:
        return f"{self.manifest.fingerprint[:16]}-{self.image_size}px-{name}"

    def _shape(self, rows: Sequence[Row]) -> tuple[int, ...]:
        return (len(rows), *self.layout.pixels_shape(self.image_size))


def _tabulated(images: ImageSet, manifest: Manifest, fold: int) -> ImageSet:
    """Give the images with their metadata as the fold's training rows, all of them, encode it."""
    training = [row.metadata for row in manifest.split("train", fold)]
    encoding = fit_encoding(manifest.columns, training)
    of_path = {row.path: row.metadata for row in manifest.rows}
    table = encoding.encode([of_path[path] for path in images.paths])
    return replace(images, tabular=torch.from_numpy(table), encoding=encoding)


def _stamp(rows: Iterable[Row]) -> str:
    """Tell whether a file was changed since it was decoded, by its size and time, or its reader."""
    facts: list[object] = [(row.path, row.bytes, row.modified_ns) for row in rows]
    return hashlib.sha256(json.dumps([DECODING, *facts]).encode()).hexdigest()


def _decode_all(
    paths: Sequence[str],
    decode: Callable[[str], Pixels],
    array: Array,
    progress: Callable[[], None],
    told: DecodingLog,
) -> None:
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for start in range(0, len(paths), CHUNK):
            chunk = paths[start : start + CHUNK]
            for row, pixels in enumerate(pool.map(decode, chunk), start):
                array[row] = pixels
                progress()
            let_go(array)
            told.tell(start + len(chunk))
