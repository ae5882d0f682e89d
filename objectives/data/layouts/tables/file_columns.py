"""The files that a column of a table names beside each image, such as masks."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from objectives.data.layouts.tables.finding import Images
from objectives.data.layouts.tables.metadata import columns_of_metadata
from objectives.data.layouts.tables.rows import Row
from objectives.data.layouts.tables.sheets import Sheet
from objectives.data.problems import Problem


def find_files(
    rows: Sequence[Row], images: Images, folder: Path, layout: Mapping[str, Any]
) -> list[Row]:
    """Return the rows with the path of each file from the data folder on.

    One that is not found stays as it is written.
    """
    columns = _file_columns(layout)
    if not columns:
        return [*rows]
    known: dict[str, str] = {}

    def found(value: float | str | None) -> float | str | None:
        if not isinstance(value, str):
            return value
        if value not in known:
            known[value] = _find(value, images, folder) or value
        return known[value]

    return [
        row._replace(
            metadata=tuple(
                found(value) if at in columns else value for at, value in enumerate(row.metadata)
            )
        )
        for row in rows
    ]


def named_files(rows: Sequence[Row], layout: Mapping[str, Any]) -> set[str]:
    """Return the paths that the columns of files have."""
    columns = _file_columns(layout)
    return {str(row.metadata[at]) for row in rows for at in columns if row.metadata[at]}


def lost_files(
    rows: Sequence[Row], sheet: Sheet, folder: Path, layout: Mapping[str, Any]
) -> Iterator[Problem]:
    """Report the files that are not there (C04)."""
    there: dict[str, bool] = {}
    for at, column in _file_columns(layout).items():
        lost: list[tuple[str, str]] = []
        for row, place in zip(rows, sheet.places, strict=True):
            if value := row.metadata[at]:
                path = str(value)
                if not there.setdefault(path, _is_file(path, folder)):
                    lost.append((path, place))
        if lost:
            path, place = lost[0]
            more = f", nor {len(lost) - 1:,} more" if len(lost) > 1 else ""
            yield Problem(
                rule="C04",
                level="error",
                message=(
                    f"column {column!r}: there is no file {path!r} ({place}){more}; bring it back,"
                    " write the path from the data folder on, or empty the cell"
                ),
                paths=tuple(path for path, _ in lost),
            )


def _file_columns(layout: Mapping[str, Any]) -> dict[int, str]:
    """Return the names of the columns of files by their place in the metadata."""
    columns = enumerate(columns_of_metadata(layout))
    return {at: column.name for at, column in columns if column.kind == "file"}


def _find(name: str, images: Images, folder: Path) -> str:
    """Return the file of that path, or the only image whose path ends so; "" without one."""
    path = PurePosixPath(name.replace("\\", "/")).as_posix()
    if _is_file(path, folder):
        return path
    found = images.find_anywhere(path)
    return found[0] if len(found) == 1 else ""


def _is_file(path: str, folder: Path) -> bool:
    is_inside = not Path(path).is_absolute() and ".." not in PurePosixPath(path).parts
    return is_inside and (folder / path).is_file()
