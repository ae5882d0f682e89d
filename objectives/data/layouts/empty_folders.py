"""Folders of classes and of splits of which no image is read (C08, C18)."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from objectives.data.layouts.folder import Contents
from objectives.data.layouts.other_files import HIDDEN
from objectives.data.left_out import LeftOut
from objectives.data.problems import Problem
from objectives.data.wording import counted_phrase


def empty_folders(
    folder: Path, contents: Contents, splits: Collection[str] | None
) -> Iterator[Problem]:
    """Find the folders without images where the class folders lie.

    splits: the folders of the splits, in which the class folders lie; None where they lie on top.
    """
    filled = _filled(contents)
    idle = [path for path in contents.folders if _is_place(path, splits) and path not in filled]
    unread = [each for each in contents.left_out if each.fix]
    missed = {path: found for path in idle if (found := _within(path, unread))}
    yield from (_unread(path, found) for path, found in missed.items())
    empty = [path for path in idle if path not in missed]
    of_splits = [path for path in empty if splits is not None and path in splits]
    yield from map(_without_images, of_splits)
    hidden = [path for each in contents.left_out if each.reason == HIDDEN for path in each.paths]
    hidden = [path for path in hidden if _is_place(path, splits) and (folder / path).is_dir()]
    yield from _shifting(folder, "hidden", hidden, "remove")
    classes = [path for path in empty if path not in of_splits]
    yield from _shifting(folder, "empty", classes, "fill or remove", held=_held(classes, contents))


def _filled(contents: Contents) -> set[str]:
    """Return the folders with images in them or below, or with what may not be read."""
    locked = [path for problem in contents.problems for path in problem.paths]
    paths = [*(file.path for file in contents.images), *locked]
    return {above for path in paths for above in _above(path)} | {*locked}


def _is_place(path: str, splits: Collection[str] | None) -> bool:
    """Whether a folder lies where class folders or splits do; a hidden one is no split."""
    top, *inner = path.split("/")
    if splits is None:
        return not inner
    return top in splits and len(inner) <= 1


def _above(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[:at]) for at in range(1, len(parts)))


def _within(place: str, unread: Sequence[LeftOut]) -> list[tuple[LeftOut, list[str]]]:
    found = [
        (each, [path for path in each.paths if path.startswith(f"{place}/")]) for each in unread
    ]
    return [(each, paths) for each, paths in found if paths]


def _unread(place: str, found: Sequence[tuple[LeftOut, list[str]]]) -> Problem:
    first, paths = found[0]
    counts = ", ".join(counted_phrase(len(inner), each.reason) for each, inner in found)
    return Problem(
        rule="C18",
        level="error",
        message=(
            f"no image of the folder {place!r} is read: {counts}, {paths[0]} for example; "
            f"{first.fix}"
        ),
        paths=tuple(path for _, inner in found for path in inner),
    )


def _without_images(split: str) -> Problem:
    return Problem(
        rule="C08",
        level="warn",
        message=(
            f"the folder {split!r} of a split holds no image, so that this split is taken from the "
            "training images; fill or remove it"
        ),
        paths=(split,),
    )


def _held(places: Sequence[str], contents: Contents) -> str:
    """Return the counts of what lies in the first of these folders, as the end of a phrase."""
    found = _within(places[0], contents.left_out) if places else []
    counts = ", ".join(counted_phrase(len(paths), each.reason) for each, paths in found)
    return f" with {counts}" if counts else ""


def _shifting(
    folder: Path, kind: str, paths: Sequence[str], fix: str, held: str = ""
) -> Iterator[Problem]:
    """Name the hidden or the empty folders beside the class folders (C08)."""
    if paths:
        yield Problem(
            rule="C08",
            level="error",
            message=(
                f"{folder}: {len(paths)} {kind} among the class folders, for example "
                f"{paths[0]!r}{held}; it is not a class here, but shifts every class index of "
                f"readers that take each folder for one: {fix} it"
            ),
            paths=tuple(paths),
        )
