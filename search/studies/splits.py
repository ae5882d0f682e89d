"""A study's splits, frozen with it: out of the database, into a file here, through an export."""

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

PLACE = ("path", "split", "fold")
Places = Iterable[tuple[str, str, str]]  # path, split, fold


def split_file(settings: Settings, study: str) -> Path:
    """Give where `search check --fix` writes the splits of a study that is not stored yet."""
    return settings.home / "splits" / f"{study}.csv"


def split_note(partition: Path | None, settings: Settings, study: str) -> str:
    """Say that a new study is split as `search check --fix` wrote it; "" where it is not."""
    if partition is None or partition != split_file(settings, study):
        return ""
    return f"{study} is split as `search check --fix` wrote it into {partition}"


def partition_of(study: str, settings: Settings, store: Store | None) -> Path | None:
    """Give a file with the study's splits: those frozen with it, or for a new one its split file.

    None where the data's own splits, or carved ones, count: of a new study without that file, and
    of one that was stored before manifests were.
    """
    try:
        table = store.manifest(study) if store else None
        is_new = store is None
    except UnknownStudy:
        table, is_new = None, True
    if is_new:
        fixed = split_file(settings, study)
        return fixed if fixed.is_file() else None
    if table is None:
        return None
    return write_partition(settings.study_folder(study) / "partition.csv", places_in(table))


def places_in(table: str) -> list[tuple[str, str, str]]:
    """Give path, split and fold of each row of a manifest, in its order."""
    header, *rows = csv.reader(io.StringIO(table))
    path, split, fold = (header.index(name) for name in PLACE)
    return [(row[path], row[split], row[fold]) for row in rows]


def write_partition(file: Path, places: Places) -> Path:
    """Write a partition, whole or not at all, unless it stands there already; give the file."""
    text = io.StringIO()
    csv.writer(text).writerows([PLACE, *places])
    content = text.getvalue().encode()
    if file.is_file() and file.read_bytes() == content:
        return file
    file.parent.mkdir(parents=True, exist_ok=True)
    return write_whole(file, lambda partial: partial.write_bytes(content))


def pack(places: Places) -> dict[str, Any]:
    """Give splits in a few characters for an export: one letter per image, in order of the paths.

    56,000 images take about 15 kB; their paths would take megabytes, and the data has them.
    """
    ordered = [(split, int(fold)) for _, split, fold in sorted(places)]
    kinds = sorted(set(ordered))
    letter_of = {kind: letter for letter, kind in enumerate(kinds)}
    letters = bytes(letter_of[kind] for kind in ordered)
    packed = base64.b64encode(zlib.compress(letters, 9)).decode()
    return {"places": [list(kind) for kind in kinds], "of_sorted_paths": packed}


def unpack(packed: Mapping[str, Any], paths: Sequence[str]) -> Places:
    """Give back what `pack` got for these paths; StudyError when they are more or fewer."""
    try:
        letters = zlib.decompress(base64.b64decode(packed["of_sorted_paths"], validate=True))
        kinds = [packed["places"][letter] for letter in letters]
        pairs = [(str(split), str(int(fold))) for split, fold in kinds]
    except (KeyError, IndexError, TypeError, ValueError, zlib.error) as error:
        raise StudyError(
            f"the splits in this export cannot be read ({error}); export the trial again"
        ) from error
    if len(pairs) != len(paths):
        raise StudyError(
            f"this trial was trained on {len(pairs)} images and here are {len(paths)}; give the"
            " data's folder with --data"
        )
    return [(path, *pair) for path, pair in zip(sorted(paths), pairs, strict=True)]
