"""L3 and L6: a table names the images, with label, group, split and what else it says of them."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from objectives.contract import DataError, DataSource
from objectives.data.layouts.classes import colliding
from objectives.data.layouts.folder import (
    SPLIT_OF_FOLDER,
    compile_pattern,
    image_folder,
    list_images,
)
from objectives.data.layouts.listing import Column, Found, Listing
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
from objectives.data.problems import Problem

log = logging.getLogger(__name__)

NO_LABEL = "no label in the table"


def read_table(source: DataSource) -> Listing:
    """Read tables and the images they name; ids stay text, whatever they look like.

    C04 names the rows without a file and the files without a row, C13 what was kept as numbers.
    """
    folder, layout = image_folder(source), source.layout
    sheet = read_sheets(folder, layout)
    labels, order = read_labels(sheet, layout)
    groups, splits, sites = _groups(sheet, layout), _splits(sheet, layout), _sites(sheet, layout)
    columns, metadata = _metadata(sheet, layout)
    images = Images(list_images(folder))
    matches = _match(images, sheet, layout)
    names, skip = dict(layout.get("names") or {}), {str(each) for each in layout.get("skip") or ()}
    skipped = Counter({reason: len(lost) for reason, lost in matches.lost.items()})
    found: list[Found] = []
    first_of: dict[int, str] = {}
    for path, row in sorted(matches.row_of.items()):
        first_of.setdefault(row, path)
        label, name = labels[row], names.get(labels[row], labels[row])
        if not label or label in skip:
            skipped[name or NO_LABEL] += 1
            continue
        file, group = images.files[path], groups[row] or first_of[row]
        found.append(Found(file, name, group, splits[row], sites[row], metadata[row]))
    if not found:
        raise DataError(
            f"{sheet.name}: no row of {len(labels)} gives an image with a label "
            f"({', '.join(f'{count} {reason}' for reason, count in skipped.items())}); correct the "
            "study's path and label columns"
        )
    present = {each.label for each in found}
    named = dict.fromkeys(names.get(label, label) for label in order)
    classes = tuple(name for name in named if name in present)
    problems = (
        *sheet.problems,
        *matches.problems(sheet.name),
        *_cell_problems(sheet, layout),
        *colliding(classes),
    )
    return Listing(found, classes, skipped, columns, tuple(dict.fromkeys(problems)))


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
            f"{matches.lost[NO_FILE][0]!r}; correct the study's `path` or the path given to --data"
        )
    return matches


def _rows(sheet: Sheet, names: Iterable[str]) -> list[dict[str, str]]:
    columns = {name: sheet.column(name) for name in names}
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def _groups(sheet: Sheet, layout: Mapping[str, Any]) -> list[str]:
    """Give each row's group, "" where its images are a group of their own."""
    if not (declared := layout.get("group")):
        return [""] * len(sheet.splits)
    groups = [fill(declared, row) for row in _rows(sheet, columns_of(declared))]
    if layout.get("group_pattern"):
        pattern = compile_pattern(layout["group_pattern"], "group")
        matches = [pattern.search(group) for group in groups]
        for group, found in zip(groups, matches, strict=True):
            if group and not found:
                raise DataError(
                    f"{sheet.name}: {group!r} gives no group by {pattern.pattern!r}; correct the "
                    "study's group_pattern, or this row"
                )
        groups = [found.group(1) if found else "" for found in matches]
    if alone := groups.count(""):
        log.warning("%s: %d rows have no %s: each row its own group", sheet.name, alone, declared)
    return groups


def _splits(sheet: Sheet, layout: Mapping[str, Any]) -> list[str]:
    words = sheet.column(layout["split"]) if layout.get("split") else sheet.splits
    if not any(words):
        return words
    splits = [SPLIT_OF_FOLDER.get(word.strip().lower(), "") for word in words]
    if "" in splits:
        raise DataError(
            f"{sheet.name}: {words[splits.index('')]!r} is no split; say train, val or test"
        )
    return splits


def _sites(sheet: Sheet, layout: Mapping[str, Any]) -> list[str]:
    if not layout.get("site"):
        return [""] * len(sheet.splits)
    return ["" if is_missing(site) else site.strip() for site in sheet.column(layout["site"])]


def _metadata(
    sheet: Sheet, layout: Mapping[str, Any]
) -> tuple[tuple[Column, ...], list[tuple[float | str | None, ...]]]:
    # By name: a mapping that went through a database has lost its order.
    columns = tuple(Column(*each) for each in sorted((layout.get("metadata") or {}).items()))
    cells = [_values(sheet.column(each.name), each.kind) for each in columns]
    return columns, list(zip(*cells, strict=True)) if cells else [()] * len(sheet.splits)


def _values(cells: Sequence[str], kind: str) -> list[float | str | None]:
    if kind == "number":
        return [number(cell) for cell in cells]
    return [None if is_unknown(cell) else cell.strip() for cell in cells]


def _cell_problems(sheet: Sheet, layout: Mapping[str, Any]) -> Iterator[Problem]:
    """Name the cells that say something else to another program (C13)."""
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
