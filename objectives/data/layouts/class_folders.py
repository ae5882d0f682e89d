"""L2: one folder per class, with or without folders train, val and test above or within."""

from collections.abc import Iterator

from objectives.contract import DataError
from objectives.data.alike import merged
from objectives.data.layouts.class_depth import check_class_depth, doubtful_classes
from objectives.data.layouts.classes import colliding
from objectives.data.layouts.empty_folders import empty_folders
from objectives.data.layouts.folder import Contents, image_folder, read_folder
from objectives.data.layouts.given_splits import SplitFolders, read_splits
from objectives.data.layouts.groups import read_groups
from objectives.data.layouts.image_files import ImageFiles
from objectives.data.layouts.listing import Found, Listing
from objectives.data.layouts.masks import without_masks
from objectives.data.layouts.split_words import split_of
from objectives.data.left_out import LeftOut

NO_FOLDER = "outside the class folders"


class ClassFolders(ImageFiles):
    """Folders that are named after their classes."""

    def find_images(self) -> Listing:
        """List the images; C08 names hidden and empty folders, C18 those that cannot be read.

        We do not count such a folder as a class; other readers do.
        """
        folder, layout = image_folder(self.source), self.source.layout
        contents = read_folder(folder)
        images, masks = without_masks(contents.images)
        splits, of_splits = read_splits([file.path for file in images], lone="warn", deepest=1)
        depth = 1 if splits and splits.depth == 0 else 0
        inside = [file for file in images if file.path.count("/") > depth]
        outside = tuple(file.path for file in images if file.path.count("/") <= depth)
        if not inside:
            found = [] if splits is None else [name for name, of in splits.splits.items() if of]
            raise DataError(
                f"{folder}: no class folder with images"
                + (f"; {found[0]!r} is read as a split" if found else ""),
                fix=(
                    f"make one folder per class in it; a class needs another name than {found[0]!r}"
                    if found
                    else "make one folder per class"
                ),
            )
        paths = [file.path for file in inside]
        check_class_depth(folder, paths, splits)
        labels = [path.split("/")[depth] for path in paths]
        if layout.get("merge_alike"):
            labels = merged(labels)
        classes = tuple(sorted(set(labels)))
        groups, of_groups = read_groups(paths, layout)
        return Listing(
            found=[
                Found(file, label, group, splits.split(file.path) if splits else "")
                for file, label, group in zip(inside, labels, groups, strict=True)
            ],
            classes=classes,
            left_out=(*contents.left_out, *masks, *_outside(outside)),
            problems=(
                *contents.problems,
                *empty_folders(folder, contents, _tops(contents, splits) if depth else None),
                *colliding(classes),
                *doubtful_classes(paths, splits),
                *of_splits,
                *of_groups,
            ),
        )


def _tops(contents: Contents, splits: SplitFolders | None) -> set[str]:
    """Return the folders of the splits, also those without images."""
    known = splits.splits if splits else {}
    return {path for path in contents.folders if known.get(path) or split_of(path)}


def _outside(paths: tuple[str, ...]) -> Iterator[LeftOut]:
    if paths:
        yield LeftOut(reason=NO_FOLDER, paths=paths, fix="move them into the folders of classes")
