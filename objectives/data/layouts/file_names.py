"""L1: the file name holds label and group."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from objectives.contract import DataError
from objectives.data.layouts.classes import (
    absent,
    class_names,
    colliding,
    in_order,
    left_out_labels,
    misspelt,
    name_classes,
    skipped_labels,
)
from objectives.data.layouts.folder import image_folder, read_folder
from objectives.data.layouts.given_splits import read_splits
from objectives.data.layouts.groups import find_groups, read_groups
from objectives.data.layouts.image_files import ImageFiles
from objectives.data.layouts.listing import File, Found, Listing
from objectives.data.layouts.masks import without_masks
from objectives.data.layouts.patterns import compile_pattern, match_pattern
from objectives.data.left_out import LeftOut

NO_LABEL = "without a label in the name"


class FileNames(ImageFiles):
    """Image files with the label in their name, or in the name of their folder."""

    def find_images(self) -> Listing:
        """List the images; a name without a label takes it from a folder named like a class."""
        folder, layout = image_folder(self.source), self.source.layout
        contents = read_folder(folder)
        images, masks = without_masks(contents.images)
        read = _read_labels(images, layout)
        if not read.labelled:
            raise DataError(
                f"{folder}: no file of {len(images)} gives a label by {layout['label']!r}, for "
                f"example {PurePosixPath(images[0].path).name!r}",
                fix="correct the study's label pattern",
            )
        paths = [file.path for file, _ in read.labelled]
        labels = [label for _, label in read.labelled]
        classes, classes_of = name_classes(labels, in_order(labels), layout)
        groups, of_groups = read_groups(paths, layout)
        splits, of_splits = read_splits(paths, lone="error")
        return Listing(
            found=[
                Found(file, label, group, splits.split(file.path) if splits else "")
                for (file, _), label, group in zip(read.labelled, classes_of, groups, strict=True)
            ],
            classes=classes,
            left_out=(
                *contents.left_out,
                *masks,
                *_without_label(read.without, layout.get("group"), set(groups)),
                *left_out_labels(read.skipped, layout),
            ),
            problems=(
                *contents.problems,
                *colliding(classes),
                *misspelt(layout, labels),
                *absent(layout, [*labels, *read.skipped]),
                *of_splits,
                *of_groups,
            ),
        )


class _Labels(NamedTuple):
    """The images with their labels, those of each skipped label, and those without one."""

    labelled: list[tuple[File, str]]
    skipped: Mapping[str, list[str]]
    without: list[str]


def _read_labels(images: Sequence[File], layout: Mapping[str, Any]) -> _Labels:
    pattern = compile_pattern(layout["label"], "label")
    names, skip = class_names(layout), skipped_labels(layout)
    read = _Labels([], defaultdict(list), [])
    for file in images:
        label = _label(file, pattern, names)
        if not label:
            read.without.append(file.path)
        elif label in skip:
            read.skipped[label].append(file.path)
        else:
            read.labelled.append((file, label))
    return read


def _without_label(
    paths: Sequence[str], group: str | None, used: Collection[str]
) -> Iterator[LeftOut]:
    """Build what is said of images without a label; no image of a whole group may have one."""
    if paths:
        groups = find_groups(paths, group) if group else []
        yield LeftOut(
            reason=NO_LABEL,
            paths=tuple(paths),
            fix="correct the study's label pattern, or move them out of the data folder",
            wholes=tuple(dict.fromkeys(each for each in groups if each and each not in used)),
        )


def _label(file: File, pattern: re.Pattern[str], names: Mapping[str, str]) -> str | None:
    """Read the label from the name, else from a folder named like a class; both must agree."""
    path = PurePosixPath(file.path)
    folder = path.parent.name.strip().casefold()
    of_folder = [label for label, name in names.items() if name.casefold() == folder]
    of_name = match_pattern(pattern, path.name)
    if of_name and of_folder and of_name not in of_folder:
        raise DataError(
            f"{file.path}: the name says label {of_name!r}, its folder {of_folder[0]!r}",
            fix="move or rename the file",
        )
    return of_name or next(iter(of_folder), None)
