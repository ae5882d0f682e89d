"""L1: the file name holds label and group."""

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import PurePosixPath

from objectives.contract import DataError
from objectives.data.layouts.classes import colliding, in_order
from objectives.data.layouts.folder import image_folder, list_images, with_groups
from objectives.data.layouts.image_files import ImageFiles
from objectives.data.layouts.listing import File, Listing
from objectives.data.layouts.patterns import compile_pattern, match_pattern
from objectives.data.left_out import LeftOut

NO_LABEL = "without a label in the name"


class FileNames(ImageFiles):
    """Image files with the label in their name, or in the name of their folder."""

    def find_images(self) -> Listing:
        """List the images; a name without a label takes it from a folder named like a class."""
        folder, layout = image_folder(self.source), self.source.layout
        expression = compile_pattern(layout["label"], "label")
        names = dict(layout.get("names") or {})
        skip = {str(label) for label in layout.get("skip") or ()}
        images = list_images(folder)
        without: list[str] = []
        skipped: defaultdict[str, list[str]] = defaultdict(list)
        labelled: list[tuple[File, str]] = []
        for file in images:
            label = _label(file, expression, names)
            if label is None:
                without.append(file.path)
            elif label in skip:
                skipped[names.get(label, label)].append(file.path)
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
        left_out = [
            LeftOut(reason=name, paths=tuple(paths), is_declared=True)
            for name, paths in skipped.items()
        ]
        if without:
            left_out.append(LeftOut(reason=NO_LABEL, paths=tuple(without)))
        return Listing(
            found=found, classes=classes, left_out=tuple(left_out), problems=colliding(classes)
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
