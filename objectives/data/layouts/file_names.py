"""L1: the file name holds label and group."""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import PurePosixPath

from objectives.contract import DataError
from objectives.data.layouts.classes import colliding, in_order
from objectives.data.layouts.folder import compile_pattern, image_folder, list_images, with_groups
from objectives.data.layouts.image_files import ImageFiles
from objectives.data.layouts.listing import File, Listing

NO_LABEL = "no label in the name"


class FileNames(ImageFiles):
    """Image files with the label in their name, or in the name of their folder."""

    def find_images(self) -> Listing:
        """List the images; a name without a label takes it from a folder named like a class."""
        folder, layout = image_folder(self.source), self.source.layout
        expression = compile_pattern(layout["label"], "label")
        names = dict(layout.get("names") or {})
        skip = {str(label) for label in layout.get("skip") or ()}
        images, skipped = list_images(folder), Counter[str]()
        labelled: list[tuple[File, str]] = []
        for file in images:
            label = _label(file, expression, names)
            if label is None or label in skip:
                skipped[NO_LABEL if label is None else names.get(label, label)] += 1
            else:
                labelled.append((file, label))
        if not labelled:
            raise DataError(
                f"{folder}: no file of {len(images)} gives a label by {expression.pattern!r}, for "
                f"example {PurePosixPath(images[0].path).name!r}",
                fix="correct the study's label pattern",
            )
        order = in_order(label for _, label in labelled)
        found = with_groups(
            [(file, names.get(label, label)) for file, label in labelled], self.source
        )
        # Two labels of one name are one class.
        classes = tuple(dict.fromkeys(names.get(label, label) for label in order))
        return Listing(found=found, classes=classes, skipped=skipped, problems=colliding(classes))


def _label(file: File, pattern: re.Pattern[str], names: Mapping[str, str]) -> str | None:
    """Read the label from the name, else from a folder named like a class; both must agree."""
    path = PurePosixPath(file.path)
    folder = path.parent.name.strip().casefold()
    of_folder = [label for label, name in names.items() if name.casefold() == folder]
    match = pattern.search(path.name)
    of_name: str | None = match.group(1) if match else None
    if of_name and of_folder and of_name not in of_folder:
        raise DataError(
            f"{file.path}: the name says label {of_name!r}, its folder {of_folder[0]!r}",
            fix="move or rename the file",
        )
    return of_name or next(iter(of_folder), None)
