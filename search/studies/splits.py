"""A study's stored splits: read from the database, kept in a file here, packed into an export."""

import base64
import csv
import io
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from objectives.files.whole import write_whole
from search.settings import Settings
from spaces.errors import StudyError
from storage.errors import UnknownStudy
from storage.store import Store

COLUMNS = ("path", "split", "fold")
Places = Iterable[tuple[str, str, str]]  # path, split and fold of each image


def split_file(settings: Settings, study: str) -> Path:
    """Return the file into which `search check --fix` writes the splits of a new study."""
    return settings.home / "splits" / f"{study}.csv"


def split_note(partition: Path | None, settings: Settings, study: str) -> str:
    """Return a line on a new study whose splits `search check --fix` wrote; "" for any other."""
    if partition is None or partition != split_file(settings, study):
        return ""
    return f"{study} is split as `search check --fix` wrote it into {partition}"


def partition_of(study: str, settings: Settings, store: Store | None) -> Path | None:
    """Return a file with the study's splits: its stored ones, or for a new study its split file.

    None for a study without data, and where the data's own or carved splits are used.
    """
    try:
        table = store.manifest(study) if store else None
    except UnknownStudy:
        table = None
    if table is not None:
        return write_partition(settings.study_folder(study) / "partition.csv", places_in(table))
    fixed = split_file(settings, study)
    return fixed if fixed.is_file() else None


def places_in(table: str) -> list[tuple[str, str, str]]:
    """Read path, split and fold of each row of a manifest, in its order."""
    header, *rows = csv.reader(io.StringIO(table))
    path, split, fold = (header.index(name) for name in COLUMNS)
    return [(row[path], row[split], row[fold]) for row in rows]


def write_partition(file: Path, places: Places) -> Path:
    """Write a partition file, whole or not at all, unless it has these rows already; return it."""
    text = io.StringIO()
    csv.writer(text).writerows([COLUMNS, *places])
    content = text.getvalue().encode()
    if file.is_file() and file.read_bytes() == content:
        return file
    file.parent.mkdir(parents=True, exist_ok=True)
    return write_whole(file, lambda partial: partial.write_bytes(content))


def pack(places: Places) -> dict[str, Any]:
    """Return splits in few characters for an export: one letter per image, in order of the paths.

    The letters of 56,000 images take about 15 kB. Their paths would take megabytes, and are in the
    data anyway.
    """
    ordered = [(split, int(fold)) for _, split, fold in sorted(places)]
    kinds = sorted(set(ordered))
    letter_of = {kind: letter for letter, kind in enumerate(kinds)}
    letters = bytes(letter_of[kind] for kind in ordered)
    packed = base64.b64encode(zlib.compress(letters, 9)).decode()
    return {"places": [list(kind) for kind in kinds], "of_sorted_paths": packed}


def unpack(packed: Mapping[str, Any], paths: Sequence[str]) -> Places:
    """Return the splits that `pack` was given; StudyError when there are more or fewer paths."""
    try:
        letters = zlib.decompress(base64.b64decode(packed["of_sorted_paths"], validate=True))
        kinds = [packed["places"][letter] for letter in letters]
        pairs = [(str(split), str(int(fold))) for split, fold in kinds]
    except (LookupError, TypeError, ValueError, OverflowError, zlib.error) as error:
        raise StudyError(
            f"the splits in this export cannot be read ({error})", "export the trial again"
        ) from error
    if len(pairs) != len(paths):
        raise StudyError(
            f"this trial was trained on {len(pairs)} images and here are {len(paths)}",
            "give the data's folder with --data",
        )
    return [(path, *pair) for path, pair in zip(sorted(paths), pairs, strict=True)]
