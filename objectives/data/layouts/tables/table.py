"""L3 and L6: a table names the images, with label, group, split, site and metadata."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from objectives.contract import DataError
from objectives.data.layouts.classes import colliding, misspelt
from objectives.data.layouts.folder import image_folder, read_folder
from objectives.data.layouts.given_splits import with_folder_splits
from objectives.data.layouts.groups import alike_groups
from objectives.data.layouts.image_files import ImageFiles
from objectives.data.layouts.listing import Found, Listing
from objectives.data.layouts.patterns import compile_pattern, match_pattern
from objectives.data.layouts.split_words import split_of
from objectives.data.layouts.tables.declared import (
    columns_of,
    path_columns,
    path_patterns,
)
from objectives.data.layouts.tables.finding import Images, fill
from objectives.data.layouts.tables.matching import NO_FILE, Matches, match
from objectives.data.layouts.tables.metadata import (
    columns_of_metadata,
    merge,
    read_metadata,
)
from objectives.data.layouts.tables.sheet_rules import name_problems, sheet_problems
from objectives.data.layouts.tables.sheets import Sheet, read_sheets
from objectives.data.layouts.tables.targets import read_labels
from objectives.data.left_out import LeftOut
from objectives.data.problems import Problem

log = logging.getLogger(__name__)

NO_LABEL = "without a label in the table"
FILL_LABEL = "fill in their labels, or remove their rows"


class Table(ImageFiles):
    """Image files that the rows of a table name; ids stay text, whatever they look like."""

    def find_images(self) -> Listing:
        """Read the tables and find the images that they name.

        C04 names rows without a file and files without a row, C13 cells kept as numbers.
        """
        folder, layout = image_folder(self.source), self.source.layout
        sheet = read_sheets(folder, layout)
        rows, order = _read_rows(sheet, layout)
        contents = read_folder(folder, known=_names_of_files(layout))
        images = Images(contents.images)
        matches = _match(images, sheet, layout)
        found, left_out = _find_labelled(images, matches, rows, layout)
        found, classes = _classes(with_folder_splits(found), order, layout)
        of_cells = tuple(sheet_problems(sheet, layout))
        if not found:
            raise _without_images(sheet, left_out, of_cells)
        problems = (
            *contents.problems,
            *matches.problems(sheet.name),
            *of_cells,
            *alike_groups([rows[at].group for at in matches.row_of.values()], [*matches.row_of]),
            *colliding(classes),
            *misspelt({*(layout.get("names") or {}), *(layout.get("skip") or ())}, order),
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


class _Row(NamedTuple):
    """A row of the tables; "" for a label, group, split or site that it does not give."""

    label: str
    group: str
    split: str
    site: str
    metadata: tuple[float | str | None, ...]


def _read_rows(sheet: Sheet, layout: Mapping[str, Any]) -> tuple[list[_Row], list[str]]:
    """Read the rows, and the labels in the order of their classes."""
    labels, order = read_labels(sheet, layout)
    columns = (
        labels,
        _groups(sheet, layout),
        _splits(sheet, layout),
        _sites(sheet, layout),
        read_metadata(sheet, layout),
    )
    return [_Row(*cells) for cells in zip(*columns, strict=True)], order


def _find_labelled(
    images: Images, matches: Matches, rows: Sequence[_Row], layout: Mapping[str, Any]
) -> tuple[list[Found], list[LeftOut]]:
    """List the images of rows with a label that counts, and the others by reason or label."""
    names, skip = _class_names(layout), {str(label) for label in layout.get("skip") or ()}
    without: list[str] = []
    skipped: defaultdict[str, list[str]] = defaultdict(list)
    found: list[Found] = []
    first_of: dict[int, str] = {}
    for path, at in sorted(matches.row_of.items()):
        first_of.setdefault(at, path)
        row = rows[at]
        name = names.get(row.label, row.label)
        if not row.label:
            without.append(path)
            continue
        if row.label in skip:
            skipped[name].append(path)
            continue
        # Without a group, a row's images are a group of their own.
        named = row._replace(label=name, group=row.group or first_of[at])
        found.append(Found(images.files[path], *named))
    declared = (
        LeftOut(reason=name, paths=tuple(paths), is_declared=True)
        for name, paths in skipped.items()
    )
    unlabelled = [LeftOut(reason=NO_LABEL, paths=tuple(without), fix=FILL_LABEL)] if without else []
    return found, [*matches.left_out(), *unlabelled, *declared]


def _classes(
    found: Sequence[Found], order: Sequence[str], layout: Mapping[str, Any]
) -> tuple[list[Found], tuple[str, ...]]:
    """Return the images by the names of their classes, and the names in the order of labels."""
    names, present = _class_names(layout), [each.label for each in found]
    one_of = dict(
        zip(present, merge(present) if layout.get("merge_alike") else present, strict=True)
    )
    classes = dict.fromkeys(
        one_of[name] for label in order if (name := names.get(label, label)) in one_of
    )
    return [each._replace(label=one_of[each.label]) for each in found], tuple(classes)


def _class_names(layout: Mapping[str, Any]) -> dict[str, str]:
    return dict(layout.get("names") or {})


def _names_of_files(layout: Mapping[str, Any]) -> set[str]:
    """Return the paths of the tables themselves."""
    table = layout["table"]
    tables = [table] if isinstance(table, str) else table
    return {*(tables.values() if isinstance(tables, Mapping) else tables), *layout.get("join", ())}


def _match(images: Images, sheet: Sheet, layout: Mapping[str, Any]) -> Matches:
    rows = _rows(sheet, set(path_columns(layout)))
    matches = match(images, path_patterns(layout), rows, sheet.places)
    if not matches.row_of and matches.lost[NO_FILE]:
        raise DataError(
            f"{sheet.name}: none of the images it names is there, for example "
            f"{matches.lost[NO_FILE][0]!r}{matches.hint}",
            fix=_first_error([*sheet.problems, *name_problems(sheet, layout, may_be_dates=False)])
            or "correct the study's `path` or the path given to --data",
        )
    return matches


def _without_images(
    sheet: Sheet, left_out: Iterable[LeftOut], problems: Iterable[Problem]
) -> DataError:
    counts = ", ".join(f"{len(each.paths)} {each.reason}" for each in left_out)
    return DataError(
        f"{sheet.name}: no row of {len(sheet.places)} gives an image with a label ({counts})",
        fix=_first_error(problems) or "correct the study's path and label columns",
    )


def _first_error(problems: Iterable[Problem]) -> str:
    """Return the message of the first error in the cells, which is the likeliest reason."""
    return next((each.message for each in problems if each.level == "error"), "")


def _rows(sheet: Sheet, names: Iterable[str]) -> list[dict[str, str]]:
    columns = {name: sheet.known(name) for name in names}
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def _groups(sheet: Sheet, layout: Mapping[str, Any]) -> list[str]:
    """Read each row's group, "" where its images are a group of their own."""
    if not (declared := layout.get("group")):
        return [""] * len(sheet.splits)
    if not (columns := columns_of(declared)):
        raise DataError(
            f"{sheet.name}: the group {declared!r} names no column",
            fix="name one, or several in braces",
        )
    groups = [fill(declared, row) for row in _rows(sheet, columns)]
    if layout.get("group_pattern"):
        pattern = compile_pattern(layout["group_pattern"], "group")
        cells, groups = groups, [match_pattern(pattern, group) for group in groups]
        for cell, found, place in zip(cells, groups, sheet.places, strict=True):
            if cell and not found:
                raise DataError(
                    f"{place}: {cell!r} gives no group by {pattern.pattern!r}",
                    fix="correct the study's group_pattern, or this row",
                )
    if alone := groups.count(""):
        log.warning("%s: %d rows have no %s: each row its own group", sheet.name, alone, declared)
    return merge(groups) if layout.get("merge_alike") else groups


def _splits(sheet: Sheet, layout: Mapping[str, Any]) -> list[str]:
    words = sheet.known(layout["split"]) if layout.get("split") else sheet.splits
    if not any(words):
        return words
    splits = [split_of(word) for word in words]
    if "" in splits:
        at = splits.index("")
        raise DataError(
            f"{sheet.places[at]}: {words[at] or 'an empty cell'!r} is no split",
            fix="say train, val or test",
        )
    return splits


def _sites(sheet: Sheet, layout: Mapping[str, Any]) -> list[str]:
    if not layout.get("site"):
        return [""] * len(sheet.splits)
    sites = [site.strip() for site in sheet.known(layout["site"])]
    return merge(sites) if layout.get("merge_alike") else sites
