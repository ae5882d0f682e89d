"""The splits that an attempt may open, kept in memory from one trial of a process to the next."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace

import torch

from objectives.contract import Attempt, DataError
from objectives.data.layouts.readers import open_layout
from objectives.data.manifest.listed import manifest_of
from objectives.data.manifest.manifest import Manifest, Row
from objectives.data.manifest.splits import SPLITS
from objectives.sets.builder import POOL, SetBuilder
from objectives.sets.images import ImageSet, subsample
from objectives.sets.tabular import fit_encoding

WARM_SIZES = 2  # image sizes kept in memory; others are read from the cache folder again


class SealedSplit(Exception):
    """A split that this attempt may not open; a search never opens the test split."""


class OpenSplits(dict[str, ImageSet]):
    """The splits that an attempt may see; asking for another one raises SealedSplit."""

    def __missing__(self, split: str) -> ImageSet:
        raise SealedSplit(
            f"the {split} split is sealed during a search (C14); let the objective judge by "
            f"{' and '.join(self)} alone"
        )


class WarmSets:
    """One study's sets of images, kept so that the next trial finds them decoded and in place.

    The data of another study replace them all; a third image size replaces the size used longest
    ago.
    """

    def __init__(self) -> None:
        self._data: Hashable = None
        self._of_size: dict[int, dict[Hashable, ImageSet]] = {}  # the size used last stands last

    def open(
        self,
        attempt: Attempt,
        image_size: int,
        *,
        at_most: Mapping[str, int] | None = None,
        fold: int = 1,
        with_table: bool = False,
    ) -> OpenSplits:
        """Open the attempt's splits; see `open_images`."""
        manifest = manifest_of(attempt.data, attempt.cache)
        self._keep_only((manifest.fingerprint, attempt.data.split_seed))
        if with_table and not any(column.is_learned for column in manifest.columns):
            raise DataError(
                f"{attempt.data.folder or 'this data set'}: the images have no table beside them",
                "name its columns in `metadata` of the study's data, or set use_metadata to false",
            )
        builder = SetBuilder(
            layout=open_layout(attempt.data),
            manifest=manifest,
            split_seed=attempt.data.split_seed,
            image_size=image_size,
            cache=attempt.cache,
            progress=attempt.progress,
        )
        kept, opened = self._kept(image_size), OpenSplits()
        for split in attempt.splits:
            rows, asked = _rows(manifest, split, fold), (at_most or {}).get(split, 0)
            count = asked if asked < len(rows) else 0
            key = (split, fold, with_table)
            if (*key, count) not in kept:
                if manifest.folds and split != "test":
                    images = subsample(_of_pool(builder, kept, rows), count, builder.split_seed)
                elif (*key, 0) in kept:
                    images = subsample(kept[*key, 0], count, builder.split_seed)
                else:
                    images = (
                        builder.sample(split, rows, count) if count else builder.whole(split, rows)
                    )
                kept[*key, count] = _with_table(images, manifest, fold) if with_table else images
            opened[split] = kept[*key, count]
        return opened

    def _keep_only(self, data: Hashable) -> None:
        # Two studies' images may not fit into memory.
        if data != self._data:
            self._of_size.clear()
            self._data = data

    def _kept(self, image_size: int) -> dict[Hashable, ImageSet]:
        kept = self._of_size.pop(image_size, {})
        self._of_size[image_size] = kept
        for size in list(self._of_size)[:-WARM_SIZES]:
            del self._of_size[size]
        return kept


_of_this_process = WarmSets()  # only a module lasts from trial to trial


def open_images(
    attempt: Attempt,
    image_size: int,
    *,
    at_most: Mapping[str, int] | None = None,
    fold: int = 1,
    with_table: bool = False,
) -> OpenSplits:
    """Open the attempt's splits at this size: out of memory, out of the cache folder, or decoded.

    No file of another split is decoded. The attempt's `progress` is called for every image decoded.
    Raises DataError with the path of an image that cannot be read.

    at_most: the largest number of images of a split, see `subsample`; without folds only these
        images are decoded.
    fold: the one to validate on, where there are folds; all of them share one set of pixels.
    with_table: whether the metadata of the images comes with them; DataError if there is none.
    """
    return _of_this_process.open(
        attempt, image_size, at_most=at_most, fold=fold, with_table=with_table
    )


def _rows(manifest: Manifest, split: str, fold: int) -> Sequence[Row]:
    if split not in SPLITS:
        raise ValueError(f"no split is called {split!r}; use one of {', '.join(SPLITS)}")
    rows = manifest.split(split, fold)
    if not rows:
        raise DataError(f"there is no {split} image to open", f"give the study a {split} split")
    return rows


def _of_pool(builder: SetBuilder, kept: dict[Hashable, ImageSet], rows: Sequence[Row]) -> ImageSet:
    """Take these rows from the set of all folds, which is decoded once."""
    if POOL not in kept:
        everything = [row for row in builder.manifest.rows if row.split == "train"]
        kept[POOL] = builder.whole(POOL, everything)
    row_of = {path: row for row, path in enumerate(kept[POOL].paths)}
    return kept[POOL].only(torch.tensor([row_of[row.path] for row in rows]))


def _with_table(images: ImageSet, manifest: Manifest, fold: int) -> ImageSet:
    """Add the metadata, in an encoding fitted to all training rows of the fold, sampled or not."""
    learned = [at for at, column in enumerate(manifest.columns) if column.is_learned]
    of_path = {row.path: [row.metadata[at] for at in learned] for row in manifest.rows}
    training = [of_path[row.path] for row in manifest.split("train", fold)]
    encoding = fit_encoding([manifest.columns[at] for at in learned], training)
    table = encoding.encode([of_path[path] for path in images.paths])
    return replace(images, tabular=torch.from_numpy(table), encoding=encoding)
