"""The classes of a study in its best trial: the recall of each, and what was taken for what."""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO

from dashboards.analysis.snapshot import Snapshot
from dashboards.analysis.trials.kept import KeptTable, KeptTables
from objectives.contract import CONFUSION_MATRIX, PER_CLASS
from storage.reader import StoreReader

MOST_CLASSES = 40
MOST_IMAGES = 10**12  # a larger number in a file is none of ours


@dataclass(frozen=True, kw_only=True)
class ClassRow:
    """One class on the validation split.

    name: as in the data; untrusted text.
    groups: the number of groups that it has images in; None where the file does not say.
    recall, low, high: with its 95 % interval; None where it has none.
    """

    name: str
    images: int
    groups: int | None
    recall: float | None
    low: float | None
    high: float | None

    @property
    def has_groups(self) -> bool:
        """Whether images of it share groups."""
        return self.groups is not None and self.groups < self.images


@dataclass(frozen=True)
class Confusion:
    """Counts of images by true class (row) and answer (column)."""

    names: Sequence[str]
    counts: Sequence[Sequence[int]]


@dataclass(frozen=True, kw_only=True)
class Classes:
    """The classes in the best trial.

    trial: its number; None before one has finished.
    rows: in the order of the data; of more than MOST_CLASSES the weakest ones, weakest first.
    total: the number of classes.
    weakest: the class with the least recall.
    by_group: whether the intervals draw whole groups.
    confusion: None of more than MOST_CLASSES, or where the table is missing.
    reason: why there are no rows, or no confusion.
    """

    trial: int | None = None
    rows: Sequence[ClassRow] = ()
    total: int = 0
    weakest: ClassRow | None = None
    by_group: bool = False
    confusion: Confusion | None = None
    reason: str = ""


class ClassesReader:
    """Reads the classes of one study; a trial's files are read once."""

    def __init__(self, tables: KeptTables) -> None:
        self._tables = tables
        self._known: tuple[int, KeptTable, KeptTable] | None = None
        self._last = Classes(reason="no trial has finished yet")

    def read(self, store: StoreReader, snapshot: Snapshot) -> Classes:
        """Read those of the best trial; files that cannot be used give a reason, no error."""
        best = snapshot.best
        if best is None:
            return Classes(reason="no trial has finished yet")
        recalls, confusion = (
            self._tables.read(best, name) for name in (PER_CLASS, CONFUSION_MATRIX)
        )
        if self._known != (best.number, recalls, confusion):
            self._last = find_classes(best.number, recalls, confusion)
            self._known = (best.number, recalls, confusion)
        return self._last


def find_classes(trial: int, recalls: KeptTable, confusion: KeptTable) -> Classes:
    """Read the classes out of a trial's two tables."""
    rows = parse_classes(recalls.text)
    if not rows:
        reason = recalls.reason or f"{PER_CLASS} of trial {trial} cannot be read"
        return Classes(trial=trial, reason=reason)
    weakest_first = sorted(rows, key=lambda row: math.inf if row.recall is None else row.recall)
    matrix = parse_confusion(confusion.text) if len(rows) <= MOST_CLASSES else None
    return Classes(
        trial=trial,
        rows=rows if len(rows) <= MOST_CLASSES else weakest_first[:MOST_CLASSES],
        total=len(rows),
        weakest=weakest_first[0] if weakest_first[0].recall is not None else None,
        by_group=any(row.has_groups for row in rows),
        confusion=matrix,
        reason="" if matrix else _why_no_matrix(trial, len(rows), confusion),
    )


def parse_classes(text: str) -> list[ClassRow]:
    """Read `per_class.csv`; [] for another table."""
    try:
        return [_class_row(row) for row in csv.DictReader(StringIO(text, newline=""))]
    except (ValueError, KeyError, TypeError, csv.Error):
        return []


def parse_confusion(text: str) -> Confusion | None:
    """Read `confusion_matrix.csv`; None for another table."""
    try:
        _, *rows = csv.reader(StringIO(text, newline=""))
        names = [name for name, *_ in rows]
        counts = [[_count(cell) for cell in cells] for _, *cells in rows]
    except (ValueError, csv.Error):
        return None
    is_square = bool(rows) and all(len(row) == len(rows) for row in counts)
    return Confusion(names, counts) if is_square else None


def _why_no_matrix(trial: int, classes: int, confusion: KeptTable) -> str:
    if classes > MOST_CLASSES:
        return f"{classes} classes are too many to draw; see {CONFUSION_MATRIX} of trial {trial}"
    return confusion.reason or f"{CONFUSION_MATRIX} of trial {trial} cannot be read"


def _class_row(row: Mapping[str, str]) -> ClassRow:
    recall, low, high = (_share(row[name]) for name in ("recall", "recall_low", "recall_high"))
    return ClassRow(
        name=row["class"],
        images=_count(row["images"] or ""),
        groups=_count(row["groups"]) if row.get("groups") else None,
        recall=recall,
        low=low,
        high=high,
    )


def _count(cell: str) -> int:
    """Read a count; ValueError for anything else."""
    if not (cell.isascii() and cell.isdigit() and len(cell) < len(str(MOST_IMAGES))):
        raise ValueError(f"{cell!r} is no count")
    return int(cell)


def _share(cell: str) -> float | None:
    """Read a share of 1, None for an empty cell; ValueError for anything else."""
    if not cell:
        return None
    share = float(cell)
    if not 0 <= share <= 1:
        raise ValueError(f"{cell!r} is no share")
    return share
