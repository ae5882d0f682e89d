"""The images of a study, split by split, as tensors that stay warm from one trial to the next."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from objectives.contract import DataSource
from objectives.data.cache import Array, cached_array
from objectives.data.decode import Pixels, decoder
from objectives.data.manifest import Manifest, Row, read_manifest
from objectives.data.splits import SPLITS

CHUNK = 256  # images in flight while decoding: enough for every core, flat in memory


class SealedSplit(Exception):
    """A split that this attempt may not open; only `search confirm` opens the test split."""


@dataclass(frozen=True)
class ImageSet:
    """One split. images: (N, 3, H, W) uint8. labels: (N,) int64. groups: one per image."""

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    groups: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Give copies of the images (B, 3, H, W) and labels (B,) of these indices."""
        # Rows of a flat array: 4-D uint8 indexing is 5 (32 px) to 15 (224 px) times slower.
        images = torch.index_select(self.images.flatten(1), 0, indices)
        return images.view(-1, *self.images.shape[1:]), self.labels[indices]

    def to(self, device: str) -> "ImageSet":
        """Give the same set with its tensors on that device."""
        return replace(self, images=self.images.to(device), labels=self.labels.to(device))


class OpenSplits(dict[str, ImageSet]):
    """The splits an attempt may see; asking for another raises SealedSplit."""

    def __missing__(self, split: str) -> ImageSet:
        raise SealedSplit(
            f"the {split} split is sealed during a search; open one of {', '.join(self)}, or use "
            "`search confirm` for the test"
        )


_manifests: dict[str, Manifest] = {}
_sets: dict[tuple[str, int, str], ImageSet] = {}


def open_images(
    source: DataSource,
    image_size: int,
    splits: Iterable[str] = ("train", "val"),
    cache: Path | None = None,
    progress: Callable[[], None] = lambda: None,
) -> OpenSplits:
    """Give these splits decoded at image_size, out of memory or the cache folder if they are there.

    No file of another split is decoded. progress: called for every image decoded. Raises DataError
    with the path of an image that cannot be read.
    """
    manifest = _manifest(source)
    opened = OpenSplits()
    for split in splits:
        if split not in SPLITS:
            raise ValueError(f"no split is called {split!r}; use one of {', '.join(SPLITS)}")
        key = (manifest.fingerprint, image_size, split)
        if key not in _sets:
            _sets[key] = _open(source, manifest, image_size, split, cache, progress)
        opened[split] = _sets[key]
    return opened


def forget() -> None:
    """Drop what is kept warm, for a process that turns to other data."""
    _manifests.clear()
    _sets.clear()


def _manifest(source: DataSource) -> Manifest:
    folder = str(source.folder.resolve()) if source.folder else None
    key = json.dumps([folder, dict(source.layout), source.split_seed], sort_keys=True)
    if key not in _manifests:
        forget()  # one study's data at a time
        _manifests[key] = read_manifest(source)
    return _manifests[key]


def _open(
    source: DataSource,
    manifest: Manifest,
    image_size: int,
    split: str,
    cache: Path | None,
    progress: Callable[[], None],
) -> ImageSet:
    rows = manifest.split(split)
    shape = (len(rows), 3, image_size, image_size)
    decode = decoder(source, image_size)

    def fill(array: Array) -> None:
        _decode_all([row.path for row in rows], decode, array, progress)

    if cache is None:
        array: Array = np.empty(shape, dtype=np.uint8)
        fill(array)
    else:
        key = f"{manifest.fingerprint[:16]}-{image_size}px-{split}"
        array = cached_array(cache, key, _stamp(rows), shape, fill, progress)
    return ImageSet(
        images=torch.from_numpy(array),
        labels=torch.tensor([row.class_index for row in rows]),
        classes=manifest.classes,
        groups=tuple(row.group for row in rows),
    )


def _stamp(rows: Iterable[Row]) -> str:
    """Tell whether a file was changed since it was decoded, by its size and time."""
    facts = [(row.path, row.bytes, row.modified_ns) for row in rows]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _decode_all(
    paths: list[str],
    decode: Callable[[str], Pixels],
    array: Array,
    progress: Callable[[], None],
) -> None:
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for start in range(0, len(paths), CHUNK):
            chunk = paths[start : start + CHUNK]
            for row, pixels in enumerate(pool.map(decode, chunk), start):
                array[row] = pixels
                progress()
