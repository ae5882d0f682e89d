"""L2: one folder per class, with or without train, val and test above."""

from collections import Counter
from pathlib import Path, PurePosixPath

from objectives.contract import DataError, DataSource
from objectives.data.layouts.folder import (
    SPLIT_OF_FOLDER,
    image_folder,
    list_images,
    subfolders,
    with_groups,
)
from objectives.data.layouts.listing import File, Listing

NO_FOLDER = "outside the class folders"


def read_class_folders(source: DataSource) -> Listing:
    """Read folders that are called as their classes; hidden ones are no data."""
    folder = image_folder(source)
    tops = subfolders(folder)
    has_splits = any(SPLIT_OF_FOLDER.get(top.name.lower()) == "train" for top in tops)
    class_folders = [sub for top in tops for sub in subfolders(top)] if has_splits else tops
    depth = 1 if has_splits else 0
    labelled: list[tuple[File, str]] = []
    skipped = Counter[str]()
    filled: set[Path] = set()
    for file in list_images(folder):
        parts = PurePosixPath(file.path).parts
        if len(parts) < depth + 2:
            skipped[NO_FOLDER] += 1
            continue
        labelled.append((file, parts[depth]))
        filled.add(folder.joinpath(*parts[: depth + 1]))
    if empty := sorted(set(class_folders) - filled):
        raise DataError(
            f"{empty[0]}: this class folder holds no image and would shift the others' class "
            "index; fill it or remove it"
        )
    if not labelled:
        raise DataError(f"{folder}: no class folder with images; make one folder per class")
    classes = tuple(sorted({label for _, label in labelled}))
    return Listing(with_groups(labelled, source), classes, skipped)
