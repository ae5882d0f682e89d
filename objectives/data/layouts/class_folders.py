"""L2: one folder per class, with or without folders train, val and test above."""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from objectives.contract import DataError
from objectives.data.layouts.classes import colliding
from objectives.data.layouts.folder import (
    SPLIT_OF_FOLDER,
    image_folder,
    list_images,
    subfolders,
    with_groups,
)
from objectives.data.layouts.image_files import ImageFiles
from objectives.data.layouts.listing import File, Listing
from objectives.data.left_out import LeftOut
from objectives.data.problems import Problem

NO_FOLDER = "outside the class folders"


class ClassFolders(ImageFiles):
    """Folders that are named after their classes."""

    def find_images(self) -> Listing:
        """List the images; C08 names hidden and empty folders.

        We do not count such a folder as a class; other readers do.
        """
        folder = image_folder(self.source)
        tops = subfolders(folder)
        has_splits = any(SPLIT_OF_FOLDER.get(top.name.lower()) == "train" for top in tops)
        depth = 1 if has_splits else 0
        labelled: list[tuple[File, str]] = []
        outside: list[str] = []
        filled: set[Path] = set()
        for file in list_images(folder):
            parts = PurePosixPath(file.path).parts
            if len(parts) < depth + 2:
                outside.append(file.path)
                continue
            labelled.append((file, parts[depth]))
            filled.add(folder.joinpath(*parts[: depth + 1]))
        if not labelled:
            raise DataError(
                f"{folder}: no class folder with images", fix="make one folder per class"
            )
        classes = tuple(sorted({label for _, label in labelled}))
        _check_train(folder, [file for file, _ in labelled], classes, has_splits)
        parents = tops if has_splits else [folder]
        idle = [path for parent in parents for path in _folders(parent) if path not in filled]
        problems = (*_shifting(folder, idle), *colliding(classes))
        return Listing(
            found=with_groups(labelled, self.source),
            classes=classes,
            left_out=(LeftOut(reason=NO_FOLDER, paths=tuple(outside)),) if outside else (),
            problems=problems,
        )


def _check_train(
    folder: Path, files: Sequence[File], classes: Sequence[str], has_splits: bool
) -> None:
    """Raise DataError where there are validation or test images only: nothing to train on."""
    tops = {PurePosixPath(file.path).parts[0] for file in files} if has_splits else {*classes}
    splits = {SPLIT_OF_FOLDER.get(top.lower()) for top in tops}
    if None not in splits and "train" not in splits:
        raise DataError(
            f"{folder}: images in {' and '.join(sorted(tops))} and none in train",
            fix="bring the training images back",
        )


def _folders(parent: Path) -> Iterator[Path]:
    return (path for path in sorted(parent.iterdir()) if path.is_dir())


def _shifting(folder: Path, idle: Sequence[Path]) -> Iterator[Problem]:
    """Name the hidden and the empty folders beside the class folders (C08)."""
    hidden = [path for path in idle if path.name.startswith(".")]
    empty = [path for path in idle if path not in hidden]
    for kind, paths, fix in (("hidden", hidden, "remove"), ("empty", empty, "fill or remove")):
        if paths:
            names = [path.relative_to(folder).as_posix() for path in paths]
            yield Problem(
                rule="C08",
                level="error",
                message=(
                    f"{folder}: {len(names)} {kind} among the class folders, for example "
                    f"{names[0]!r}; it is not a class here, but shifts every class index of "
                    f"readers that take each folder for one: {fix} it"
                ),
                paths=tuple(names),
            )
