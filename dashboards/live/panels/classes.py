"""The classes in the best trial: the recall of each, and what was taken for what."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dashboards.analysis import numbers
from dashboards.analysis.overview import Overview
from dashboards.analysis.trials.classes import Classes, ClassRow, Confusion
from dashboards.live.view import View
from spaces.shown import shown

SHADES = 9  # of a cell, from none to all images of its row
MOST_WRITTEN = 12  # classes with a count in each cell; of more, cells are colours alone


@dataclass(frozen=True, kw_only=True)
class ClassLine:
    """One class; its interval in percent across, None without one."""

    name: str
    size: str
    recall: str
    at: float | None
    low: float | None
    length: float
    label: str


@dataclass(frozen=True)
class Cell:
    """One cell of the confusion matrix: its colour, its count and what it means."""

    tone: str
    text: str = ""
    title: str = ""


@dataclass(frozen=True)
class MatrixRow:
    """One true class."""

    name: str
    cells: Sequence[Cell]


@dataclass(frozen=True, kw_only=True)
class ClassesPanel:
    """The classes of one trial.

    why: the trial, and the meaning of the intervals.
    heads: the classes by their short names; () where they have no room.
    note: a remark on what is not shown.
    """

    why: str = ""
    lines: Sequence[ClassLine] = ()
    heads: Sequence[str] = ()
    matrix: Sequence[MatrixRow] = ()
    note: str = ""


def classes(overview: Overview, view: View) -> ClassesPanel:
    """Build the panel of classes."""
    return draw_classes(overview.classes)


def draw_classes(found: Classes) -> ClassesPanel:
    """Build what is shown of the classes in one trial."""
    if not found.rows:
        return ClassesPanel(note=found.reason)
    names = [shown(name) for name in found.confusion.names] if found.confusion else []
    return ClassesPanel(
        why=f"recall of trial {found.trial}, 95 %{' by group' if found.by_group else ''}",
        lines=[_line(row) for row in found.rows],
        heads=names if len(names) <= MOST_WRITTEN else (),
        matrix=list(_matrix(found.confusion, names)) if found.confusion else (),
        note=". ".join(filter(None, [_left_out(found), found.reason])),
    )


def _left_out(found: Classes) -> str:
    if len(found.rows) == found.total:
        return ""
    return f"The {len(found.rows)} weakest of {numbers.whole(found.total)} classes"


def _line(row: ClassRow) -> ClassLine:
    size = numbers.whole(row.images)
    if row.has_groups and row.groups is not None:
        size += f" in {numbers.counted(row.groups, 'group')}"
    name, recall = shown(row.name), numbers.percent(row.recall)
    has_interval = row.low is not None and row.high is not None
    low, high = row.low or 0.0, row.high or 0.0
    interval = f", {numbers.percent_interval(low, high)}" if has_interval else ""
    return ClassLine(
        name=name,
        size=size,
        recall=recall,
        at=None if row.recall is None else round(100 * row.recall, 1),
        low=round(100 * low, 1) if has_interval else None,
        length=round(100 * (high - low), 1),
        label=f"{name}: recall {recall}{interval}",
    )


def _matrix(confusion: Confusion, names: Sequence[str]) -> Iterator[MatrixRow]:
    is_written = len(names) <= MOST_WRITTEN
    for true, (name, counts) in enumerate(zip(names, confusion.counts, strict=True)):
        total = sum(counts)
        yield MatrixRow(
            name,
            [
                Cell(
                    tone=_tone(count, total, is_right=true == taken),
                    text=numbers.whole(count) if count and is_written else "",
                    title=_title(name, names[taken], count, total) if is_written else "",
                )
                for taken, count in enumerate(counts)
            ],
        )


def _tone(count: int, total: int, *, is_right: bool) -> str:
    shade = max(1, round(SHADES * count / total)) if count else 0
    return f"{'right' if is_right else 'wrong'}{shade}"


def _title(true: str, taken: str, count: int, total: int) -> str:
    return f"{true} taken for {taken}: {numbers.percent(count / total if total else 0.0)}"
