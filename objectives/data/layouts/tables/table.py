"""L3 and L6: a table names the images, with label, group, split, site and metadata."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from objectives.contract import DataError
from objectives.data.layouts.classes import (
    absent,
    colliding,
    left_out_labels,
    misspelt,
    name_classes,
    skipped_labels,
)
from objectives.data.layouts.folder import image_folder, read_folder
from objectives.data.layouts.given_splits import with_folder_splits
from objectives.data.layouts.groups import alike_groups
from objectives.data.layouts.image_files import ImageFiles
from objectives.data.layouts.listing import Found, Listing
from objectives.data.layouts.tables.declared import path_columns, path_patterns
from objectives.data.layouts.tables.file_columns import find_files, lost_files, named_files
from objectives.data.layouts.tables.finding import Images
from objectives.data.layouts.tables.matching import NO_FILE, Matches, match
from objectives.data.layouts.tables.metadata import columns_of_metadata
from objectives.data.layouts.tables.rows import (
    Row,
    cells_by_row,
    name_problems,
    read_rows,
    row_problems,
)
from objectives.data.layouts.tables.sheets import Sheet, file_names, read_sheets
from objectives.data.left_out import LeftOut
from objectives.data.problems import Problem
from objectives.data.wording import counted_phrase

NO_LABEL = "without a label in the table"
FILL_LABEL = "fill in their labels, or remove their rows"


class Table(ImageFiles):
    """Image files that the rows of a table name; ids stay text, whatever they look like."""

    def find_images(self) -> Listing:
        """Read the tables and find the images that they name.

        C04 reports rows without a file and files without a row, C13 cells that other programs
        changed.
        """
        folder, layout = image_folder(self.source), self.source.layout
        sheet = read_sheets(folder, layout)
        rows, order = read_rows(sheet, layout)
        known = file_names(layout) | named_files(rows, layout)
        contents = read_folder(folder, known)
        images = Images(contents.images)
        rows = find_files(rows, images, folder, layout)
        matches = _match(images, sheet, rows, layout)
        found, left_out = _find_labelled(images, matches, rows, layout)
        found, classes = _with_classes(with_folder_splits(found), order, layout)
        of_cells = tuple(row_problems(sheet, layout))
        if not found:
            raise _without_images(sheet, left_out, of_cells)
        problems = (
            *contents.problems,
            *matches.problems(sheet.name),
            *of_cells,
            *lost_files(rows, sheet, folder, layout),
            *alike_groups([rows[at].group for at in matches.row_of.values()], [*matches.row_of]),
            *colliding(classes),
            *misspelt(layout, order),
            *absent(layout, order),
        )
        return Listing(
            found=found,
            classes=classes,
            # The table says which files are meant; those that it names in vain are told by C04.
            left_out=(
                *sheet.left_out,
                *left_out,
                *(LeftOut(reason=e.reason, paths=e.paths) for e in contents.left_out),
            ),
            columns=columns_of_metadata(layout),
            problems=tuple(dict.fromkeys(problems)),
        )


def _find_labelled(
    images: Images, matches: Matches, rows: Sequence[Row], layout: Mapping[str, Any]
) -> tuple[list[Found], list[LeftOut]]:
    """List the images of rows with a label that counts, and the others by reason or label."""
    skip = skipped_labels(layout)
    found: list[Found] = []
    without: list[str] = []
    skipped: defaultdict[str, list[str]] = defaultdict(list)
    first_of: dict[int, str] = {}
    for path, at in sorted(matches.row_of.items()):
        row, first = rows[at], first_of.setdefault(at, path)
        if not row.label:
            without.append(path)
        elif row.label in skip:
            skipped[row.label].append(path)
        else:
            # Without a group, a row's images are a group of their own.
            found.append(Found(images.files[path], *row._replace(group=row.group or first)))
    unlabelled = [LeftOut(reason=NO_LABEL, paths=tuple(without), fix=FILL_LABEL)] if without else []
    return found, [*matches.left_out(), *unlabelled, *left_out_labels(skipped, layout)]


def _with_classes(
    found: Sequence[Found], order: Sequence[str], layout: Mapping[str, Any]
) -> tuple[list[Found], tuple[str, ...]]:
    """Return the images by the names of their classes, and these names in the order of labels."""
    classes, labels = name_classes([each.label for each in found], order, layout)
    return [each._replace(label=label) for each, label in zip(found, labels, strict=True)], classes


def _match(images: Images, sheet: Sheet, rows: Sequence[Row], layout: Mapping[str, Any]) -> Matches:
    cells = cells_by_row(sheet, set(path_columns(layout)))
    others = named_files(rows, layout)
    own = images.without(others) if others else images
    matches = match(own, path_patterns(layout), cells, sheet.places, read=rows)
    if not matches.row_of and (lost := matches.lost.get(NO_FILE)):
        raise DataError(
            f"{sheet.name}: none of the images it names is there, for example "
            f"{lost[0].name!r}{matches.hint}",
            fix=_first_error([*sheet.problems, *name_problems(sheet, layout, may_be_dates=False)])
            or "correct the study's `path` or the path given to --data",
        )
    return matches


def _without_images(
    sheet: Sheet, left_out: Iterable[LeftOut], problems: Iterable[Problem]
) -> DataError:
    counts = ", ".join(counted_phrase(len(each.paths), each.reason) for each in left_out)
    return DataError(
        f"{sheet.name}: no row of {len(sheet.places)} gives an image with a label ({counts})",
        fix=_first_error(problems) or "correct the study's path and label columns",
    )


def _first_error(problems: Iterable[Problem]) -> str:
    """Return the message of the first error in the cells, which is the likeliest reason."""
    return next((each.message for each in problems if each.level == "error"), "")
