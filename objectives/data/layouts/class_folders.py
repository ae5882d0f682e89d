"""L2: one folder per class, with or without folders train, val and test above or within."""

from collections.abc import Iterator

from objectives.contract import DataError
from objectives.data.alike import merged
from objectives.data.layouts.class_depth import check_depth
from objectives.data.layouts.classes import colliding
from objectives.data.layouts.folder import Contents, image_folder, read_folder
from objectives.data.layouts.given_splits import (
    SplitFolders,
    find_split_folders,
    lone_splits,
    refuse_unclear_splits,
)
from objectives.data.layouts.groups import read_groups
from objectives.data.layouts.idle_folders import idle_folders
from objectives.data.layouts.image_files import ImageFiles
from objectives.data.layouts.listing import Found, Listing
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
        paths = [file.path for file in images]
        splits = find_split_folders(paths, deepest=1)
        if splits is None:
            refuse_unclear_splits(paths, deepest=1)
        depth = 1 if splits and splits.depth == 0 else 0
        inside = [file for file in images if file.path.count("/") > depth]
        outside = tuple(file.path for file in images if file.path.count("/") <= depth)
        if not inside:
            raise DataError(
                f"{folder}: no class folder with images", fix="make one folder per class"
            )
        check_depth(folder, [file.path for file in inside], splits)
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
                *(splits.problems() if splits else lone_splits(paths, "warn")),
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
