"""How this machine's data differ from the data that a study was created on (rule C16)."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from objectives.data.manifest.manifest import Manifest
from search.errors import MachineMismatch
from storage.store import Store, StudyRow

NAMED = 3  # differing rows that a message names; the number of the others follows
FIX = "bring the same files here, or start a new study with --as NAME"
WORDS = {"sha1": "contents differ", "class_index": "the order of the classes differs"}

Rows = dict[str, dict[str, str]]  # path -> column -> value


def check_same_data(row: StudyRow, manifest: Manifest, folder: Path | None, store: Store) -> None:
    """Raise MachineMismatch, naming the first rows that differ, unless the data are the study's."""
    if difference := _difference(row, manifest, folder, store):
        raise MachineMismatch(f"{difference} (C16)", FIX)


def mismatch(row: StudyRow, manifest: Manifest, folder: Path | None, store: Store) -> str:
    """Say how this machine's data differ from the study's, and the fix; "" where they do not."""
    difference = _difference(row, manifest, folder, store)
    return f"{difference}; {FIX}" if difference else ""


def _difference(row: StudyRow, manifest: Manifest, folder: Path | None, store: Store) -> str:
    if manifest.fingerprint == row.data_fingerprint:
        return ""
    stored = store.manifest(row.name)
    found = list(differing(stored, manifest.as_csv())) if stored else []
    if found:
        more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        count = f"{len(found)} images differ" if len(found) > 1 else "1 image differs"
        difference = f"{count}: {'; '.join(found[:NAMED])}{more}"
    else:  # the rows are equal: a class without images, or the type of a column, differs
        difference = f"{manifest.fingerprint[:12]}, not {row.data_fingerprint[:12]}"
    return (
        f"the data in {folder or 'this installation'} differs from the data that study"
        f" {row.name!r} was created on ({difference})"
    )


def differing(stored: str, here: str) -> Iterator[str]:
    """Yield a line for each image in which two manifests differ, in the order of the paths.

    stored, here: the manifests as CSV.
    """
    there, now = _read_rows(stored), _read_rows(here)
    for path in sorted({*there, *now}):
        if path not in now:
            yield f"{path} is missing here"
        elif path not in there:
            yield f"{path} is only here"
        elif there[path] != now[path]:
            yield f"{path}: {_changes(there[path], now[path])}"


def _changes(old: dict[str, str], new: dict[str, str]) -> str:
    changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    if "label" in changed:  # another label has another index, which says nothing more
        changed = [name for name in changed if name != "class_index"]
    return ", ".join(
        WORDS.get(name, f"{name} {_shown(old.get(name))} -> {_shown(new.get(name))}")
        for name in changed
    )


def _shown(value: str | None) -> str:
    return "none" if value in (None, "") else f"{value}"


def _read_rows(text: str) -> Rows:
    header, *rows = csv.reader(io.StringIO(text))
    return {row[0]: dict(zip(header, row, strict=True)) for row in rows}
