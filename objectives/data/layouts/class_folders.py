"""L2: one folder per class, with or without folders train, val and test above or within."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from objectives.contract import DataError
from objectives.data.alike import merged
from objectives.data.layouts.classes import colliding
from objectives.data.layouts.folder import Contents, image_folder, read_folder
from objectives.data.layouts.given_splits import SplitFolders, find_split_folders
from objectives.data.layouts.groups import read_groups
from objectives.data.layouts.idle_folders import idle_folders
from objectives.data.layouts.image_files import ImageFiles
from objectives.data.layouts.listing import File, Found, Listing
from objectives.data.layouts.masks import find_masks, left_out_masks
from objectives.data.layouts.split_words import split_of
from objectives.data.left_out import LeftOut

NO_FOLDER = "outside the class folders"


class ClassFolders(ImageFiles):
    """Folders that are named after their classes."""

    def find_images(self) -> Listing:
        """List the images; C08 names hidden and empty folders, C18 those that cannot be read.

        We do not count such a folder as a class; other readers do.
        """
        folder = image_folder(self.source)
        contents = read_folder(folder)
        masks = find_masks([file.path for file in contents.images])
        images = [file for file in contents.images if file.path not in masks]
        splits = find_split_folders([file.path for file in images], deepest=1)
        depth = 1 if splits and splits.depth == 0 else 0
        inside = [file for file in images if file.path.count("/") > depth]
        outside = tuple(file.path for file in images if file.path.count("/") <= depth)
        if not inside:
            raise DataError(
                f"{folder}: no class folder with images", fix="make one folder per class"
            )
        _check_depth(folder, inside, depth, splits)
        labels = [file.path.split("/")[depth] for file in inside]
        if self.source.layout.get("merge_alike"):
            labels = merged(labels)
        classes = tuple(sorted(set(labels)))
        groups, problems = read_groups([file.path for file in inside], self.source.layout)
        left_out = (*contents.left_out, *left_out_masks(masks), *_outside(outside))
        return Listing(
            found=[
                Found(file, label, group, splits.split(file.path) if splits else "")
                for file, label, group in zip(inside, labels, groups, strict=True)
            ],
            classes=classes,
            left_out=left_out,
            problems=(
                *contents.problems,
                *idle_folders(folder, contents, _tops(contents, splits) if depth else None),
                *colliding(classes),
                *(splits.problems() if splits else ()),
                *problems,
            ),
        )


def _tops(contents: Contents, splits: SplitFolders | None) -> set[str]:
    """Return the folders of the splits, also those without images."""
    known = splits.splits if splits else {}
    return {path for path in contents.folders if known.get(path) or split_of(path)}


def _outside(paths: tuple[str, ...]) -> Iterator[LeftOut]:
    if paths:
        yield LeftOut(reason=NO_FOLDER, paths=paths, fix="move them into the folders of classes")


def _check_depth(
    folder: Path, images: Sequence[File], depth: int, splits: SplitFolders | None
) -> None:
    """Raise DataError where the class folders lie one folder deeper than where they are read."""
    parts = [file.path.split("/")[:-1] for file in images]
    inner: defaultdict[str, set[str]] = defaultdict(set)
    below = depth + (2 if splits and splits.depth == 1 else 1)
    for each in parts:
        inner[each[depth]].update(each[below : below + 1])
    shared = set.intersection(*inner.values())
    if len(inner) == 1 and (len(shared) > 1 or (splits and splits.depth == 1)):
        (only,) = inner
        where = folder.joinpath(*parts[0][:depth], only)
        raise DataError(
            f"{folder}: all images lie in one folder, {only!r}, and no class is known",
            fix=f"if the folders in it are the classes or the splits, give --data {where}",
        )
    if splits and splits.depth == 1 and shared:
        raise DataError(
            f"{folder}: the folder {min(shared)!r} lies below the splits of {len(inner)} folders",
            fix="put train, val and test on top, and in each a folder per class",
        )
