"""Build a set of decoded images from the rows of a manifest; the cache folder keeps them."""

import hashlib
import json
import mmap
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from objectives.data.layouts.layout import Layout
from objectives.data.manifest.manifest import Manifest, Row
from objectives.data.manifest.subsample import proportional
from objectives.data.pixels.decode import Pixels
from objectives.sets.cache import Array, CachedArray, let_go
from objectives.sets.images import CHUNK, ImageSet, subsample
from objectives.sets.progress import DecodingLog

DECODING = (
    3  # increased whenever the same file is decoded to other pixels, so that old caches are rebuilt
)
POOL = "pool"  # the name in the cache of the train and validation images of all folds together


@dataclass(frozen=True, kw_only=True)
class SetBuilder:
    """Builds sets of a study's images at one size, on this machine."""

    layout: Layout
    manifest: Manifest
    split_seed: int  # of the study; decides which rows a sample has
    image_size: int
    cache: Path | None
    progress: Callable[[], None]  # called for every image decoded

    def whole(self, name: str, rows: Sequence[Row]) -> ImageSet:
        """Build the set of all these rows, which the cache folder calls `name`."""
        return self._image_set(rows, self._pixels(rows, self._key(name)))

    def sample(self, name: str, rows: Sequence[Row], count: int) -> ImageSet:
        """Build the set of `count` of these rows, every class in proportion.

        The sample is taken from the whole set where the cache folder has that. Otherwise only the
        sample is decoded, into a cache file of its own.
        """
        key, seed = self._key(name), self.split_seed
        if self.cache is not None:
            kept = self._cached(self.cache, key, rows).read()
            if kept is not None:
                return subsample(self._image_set(rows, kept), count, seed)
        labels = np.array([row.class_index for row in rows])
        chosen = [rows[row] for row in proportional(labels, count, seed)]
        return self._image_set(chosen, self._pixels(chosen, f"{key}-{count}-seed{seed}"))

    def _key(self, name: str) -> str:
        return f"{self.manifest.fingerprint[:16]}-{self.image_size}px-{name}"

    def _cached(self, cache: Path, key: str, rows: Sequence[Row]) -> CachedArray:
        return CachedArray(
            folder=cache, key=key, stamp=_stamp(rows, self.layout.choice()), shape=self._shape(rows)
        )

    def _pixels(self, rows: Sequence[Row], key: str) -> Array:
        """Read the rows' pixels out of the cache folder if there is one, else decode them."""

        def fill(array: Array) -> None:
            self._decode(rows, array, DecodingLog(len(rows), self.image_size, self.cache))

        if self.cache is not None:
            return self._cached(self.cache, key, rows).open(fill, self.progress)
        array: Array = np.empty(self._shape(rows), dtype=np.uint8)
        fill(array)
        return array

    def _shape(self, rows: Sequence[Row]) -> tuple[int, ...]:
        return (len(rows), *self.layout.pixels_shape(self.image_size))

    def _decode(self, rows: Sequence[Row], array: Array, log: DecodingLog) -> None:
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            for start in range(0, len(rows), CHUNK):
                paths = [row.path for row in rows[start : start + CHUNK]]
                for row, pixels in enumerate(pool.map(self._pixels_of, paths), start):
                    array[row] = pixels
                    self.progress()
                let_go(array)
                log.tell(start + len(paths))

    def _pixels_of(self, path: str) -> Pixels:
        return self.layout.pixels_of(path, self.image_size)

    def _image_set(self, rows: Sequence[Row], array: Array) -> ImageSet:
        return ImageSet(
            images=torch.from_numpy(array),
            labels=torch.tensor([row.class_index for row in rows]),
            classes=self.manifest.classes,
            groups=tuple(row.group for row in rows),
            paths=tuple(row.path for row in rows),
            pages=array.base if isinstance(array.base, mmap.mmap) else None,
        )


def _stamp(rows: Iterable[Row], choice: tuple[object, ...]) -> str:
    """Hash all that the pixels depend on: each file's size and times, and how it is read."""
    facts: list[object] = [(row.path, row.bytes, row.times_ns) for row in rows]
    return hashlib.sha256(json.dumps([DECODING, choice, *facts]).encode()).hexdigest()
