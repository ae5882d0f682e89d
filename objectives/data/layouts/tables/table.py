"""L3 and L6: a table names the images, with label, group, split, site and metadata."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from objectives.contract import DataError
from objectives.data.layouts.classes import colliding
from objectives.data.layouts.folder import image_folder, read_folder
from objectives.data.layouts.image_files import ImageFiles
from objectives.data.layouts.listing import Column, Found, Listing
from objectives.data.layouts.patterns import compile_pattern, match_pattern
from objectives.data.layouts.split_words import split_of
from objectives.data.layouts.tables.cells import (
    id_problems,
    is_missing,
    is_unknown,
    number,
    number_problems,
    word_problems,
)
from objectives.data.layouts.tables.finding import Images, columns_of, fill
from objectives.data.layouts.tables.matching import NO_FILE, Matches, match
from objectives.data.layouts.tables.sheets import Sheet, read_sheets
from objectives.data.layouts.tables.targets import read_labels
from objectives.data.left_out import LeftOut
from objectives.data.problems import Problem

log = logging.getLogger(__name__)

NO_LABEL = "without a label in the table"


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
        if not found:
            counts = ", ".join(f"{len(each.paths)} {each.reason}" for each in left_out)
            raise DataError(
                f"{sheet.name}: no row of {len(rows)} gives an image with a label ({counts})",
                fix="correct the study's path and label columns",
            )
        present, names = {each.label for each in found}, _class_names(layout)
        ordered = dict.fromkeys(names.get(label, label) for label in order)
        classes = tuple(name for name in ordered if name in present)
        problems = (
            *contents.problems,
            *sheet.problems,
            *matches.problems(sheet.name),
            *_cell_problems(sheet, layout),
            *colliding(classes),
        )
        return Listing(
            found=found,
            classes=classes,
            # The table says which files are meant; those that it names in vain are told by C04.
            left_out=(
                *left_out,
                *(LeftOut(reason=e.reason, paths=e.paths) for e in contents.left_out),
            ),
            columns=_columns(layout),
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
        _metadata(sheet, layout),
    )
    return [_Row(*cells) for cells in zip(*columns, strict=True)], order


def _find_labelled(
    images: Images, matches: Matches, rows: Sequence[_Row], layout: Mapping[str, Any]
) -> tuple[list[Found], list[LeftOut]]:
    """List the images of rows with a label that counts, and the others by reason or label."""
    names, skip = _class_names(layout), {str(label) for label in layout.get("skip") or ()}
    lost = [LeftOut(reason=reason, paths=tuple(each)) for reason, each in matches.lost.items()]
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
    unlabelled = [LeftOut(reason=NO_LABEL, paths=tuple(without))] if without else []
    return found, [*lost, *unlabelled, *declared]


def _class_names(layout: Mapping[str, Any]) -> dict[str, str]:
    return dict(layout.get("names") or {})


def _names_of_files(layout: Mapping[str, Any]) -> set[str]:
    """Return the paths of the tables themselves."""
    table = layout["table"]
    tables = [table] if isinstance(table, str) else table
    return {*(tables.values() if isinstance(tables, Mapping) else tables), *layout.get("join", ())}


def _patterns(layout: Mapping[str, Any]) -> list[str]:
    declared = layout.get("path") or "image"
    return [declared] if isinstance(declared, str) else list(declared)


def _match(images: Images, sheet: Sheet, layout: Mapping[str, Any]) -> Matches:
    patterns = _patterns(layout)
    names = {name for pattern in patterns for name in columns_of(pattern)}
    matches = match(images, patterns, _rows(sheet, names))
    if not matches.row_of and matches.lost[NO_FILE]:
        raise DataError(
            f"{sheet.name}: none of the images it names is there, for example "
            f"{matches.lost[NO_FILE][0]!r}",
            fix="correct the study's `path` or the path given to --data",
        )
    return matches


def _rows(sheet: Sheet, names: Iterable[str]) -> list[dict[str, str]]:
    columns = {name: sheet.column(name) for name in names}
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
        for cell, found in zip(cells, groups, strict=True):
            if cell and not found:
                raise DataError(
                    f"{sheet.name}: {cell!r} gives no group by {pattern.pattern!r}",
                    fix="correct the study's group_pattern, or this row",
                )
    if alone := groups.count(""):
        log.warning("%s: %d rows have no %s: each row its own group", sheet.name, alone, declared)
    return groups


def _splits(sheet: Sheet, layout: Mapping[str, Any]) -> list[str]:
    words = sheet.column(layout["split"]) if layout.get("split") else sheet.splits
    if not any(words):
        return words
    splits = [split_of(word) for word in words]
    if "" in splits:
        raise DataError(
            f"{sheet.name}: {words[splits.index('')]!r} is no split",
            fix="say train, val or test",
        )
    return splits


def _sites(sheet: Sheet, layout: Mapping[str, Any]) -> list[str]:
    if not layout.get("site"):
        return [""] * len(sheet.splits)
    return ["" if is_missing(site) else site.strip() for site in sheet.column(layout["site"])]


def _columns(layout: Mapping[str, Any]) -> tuple[Column, ...]:
    # By name: a mapping that went through a database has lost its order.
    return tuple(Column(*each) for each in sorted((layout.get("metadata") or {}).items()))


def _metadata(sheet: Sheet, layout: Mapping[str, Any]) -> list[tuple[float | str | None, ...]]:
    """Read the values of each row, in the order of `_columns`."""
    cells = [_values(sheet.column(each.name), each.kind) for each in _columns(layout)]
    return list(zip(*cells, strict=True)) if cells else [()] * len(sheet.splits)


def _values(cells: Sequence[str], kind: str) -> list[float | str | None]:
    if kind == "number":
        return [number(cell) for cell in cells]
    return [None if is_unknown(cell) else cell.strip() for cell in cells]


def _cell_problems(sheet: Sheet, layout: Mapping[str, Any]) -> Iterator[Problem]:
    """Find the cells that mean something else to another program (C13)."""
    groups = columns_of(layout["group"]) if layout.get("group") else []
    paths = [name for pattern in _patterns(layout) for name in columns_of(pattern)]
    numbers, words = list(layout.get("one_hot") or ()), list(groups)
    for name, kind in (layout.get("metadata") or {}).items():
        (numbers if kind == "number" else words).append(name)
    if layout.get("label"):
        (numbers if layout.get("cuts") else words).append(layout["label"])
    for name in dict.fromkeys((*paths, *groups)):
        yield from id_problems(name, sheet.column(name))
    for name in dict.fromkeys(numbers):
        yield from number_problems(name, sheet.column(name))
    for name in dict.fromkeys(words):
        yield from word_problems(name, sheet.column(name))
