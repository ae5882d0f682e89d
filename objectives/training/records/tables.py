"""The records of a finished trial for people to read: four tables and a picture."""

import csv
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from objectives.contract import (
    CONFUSION_MATRIX,
    GROUPS,
    HIGH,
    LEARNING_CURVES,
    LOW,
    PER_CLASS,
    SUMMARY_PICTURE,
    Attempt,
    EpochResult,
)
from objectives.files.whole import write_whole
from objectives.groups.draws import Grouping
from objectives.groups.table import table_rows
from objectives.training.measures.intervals import add_up, recall_intervals
from objectives.training.measures.metrics import aucs, confusion, f1_scores, precisions, recalls
from objectives.training.records.best import Best
from objectives.training.records.pooled import out_of_fold

Rows = Iterable[Sequence[Any]]
_RECALL_ENDS = ("recall" + LOW, "recall" + HIGH)


def keep_records(
    attempt: Attempt,
    results: Sequence[EpochResult],
    bests: Sequence[Best],
    ends: Sequence[Best] = (),
) -> None:
    """Write the records of a finished trial into its attempt's folder, each whole or not at all.

    They are `learning_curves.csv`; `confusion_matrix.csv`, `per_class.csv` and `groups.csv` of the
    best epoch's validation logits, or of all folds' last epochs together; and `summary.png`, which
    draws them.

    bests: each fold's best epoch.
    ends: each fold's last epoch; empty without folds.
    """
    # Here, because it takes .4 s, which only a finished trial needs.
    from objectives.training.records.picture import draw_summary

    classes = bests[-1].classes
    judged = ends or bests
    logits, labels = out_of_fold(judged)
    groups = [group for each in judged for group in each.groups]
    matrix = confusion(logits, labels)
    sums = add_up(Grouping.of(groups), classes, logits=logits, labels=labels)
    tables = {
        LEARNING_CURVES: _learning_curves(results),
        CONFUSION_MATRIX: _confusion_matrix(matrix, classes),
        PER_CLASS: _per_class(
            classes,
            matrix,
            areas=aucs(logits, labels),
            groups=_groups_of_classes(labels, groups, classes),
            intervals=recall_intervals(sums, has_groups=len({*groups}) < len(groups)),
        ),
        GROUPS: table_rows(sums),
    }
    for name, rows in tables.items():
        write_whole(attempt.folder / name, partial(_save_rows, list(rows)), attempt.progress)
    draw = partial(
        draw_summary,
        results=results,
        best_epochs=[best.epoch for best in bests],
        confusion=matrix.numpy(),
        classes=classes,
    )
    write_whole(attempt.folder / SUMMARY_PICTURE, draw, attempt.progress)


def _learning_curves(results: Sequence[EpochResult]) -> Rows:
    names = list(dict.fromkeys(name for result in results for name in result.metrics))
    yield "epoch", *names, "seconds", "images"
    for result in results:
        values = (result.metrics.get(name) for name in names)
        yield result.epoch, *values, result.seconds, result.images


def _confusion_matrix(matrix: Tensor, classes: Sequence[str]) -> Rows:
    yield "true class", *(f"taken for {name}" for name in classes)
    for name, counts in zip(classes, matrix.tolist(), strict=True):
        yield name, *counts


def _per_class(
    classes: Sequence[str],
    matrix: Tensor,
    *,
    areas: Tensor,
    groups: Sequence[int],
    intervals: Sequence[tuple[float, float]],
) -> Rows:
    """Yield a row per class.

    areas, groups: the class's AUC, and the number of groups that it has images in.
    intervals: of its recall.
    """
    yield "class", "images", "groups", "recall", *_RECALL_ENDS, "precision", "f1", "auc"
    columns = zip(
        recalls(matrix).tolist(),
        *zip(*intervals, strict=True),
        precisions(matrix).tolist(),
        f1_scores(matrix).tolist(),
        areas.tolist(),
        strict=True,
    )
    images = matrix.sum(dim=1).tolist()
    for name, count, own_groups, numbers in zip(classes, images, groups, columns, strict=True):
        yield name, count, own_groups, *map(_cell, numbers)


def _groups_of_classes(
    labels: Tensor, groups: Sequence[str], classes: Sequence[str]
) -> Sequence[int]:
    """Count the groups that each class has images in."""
    pairs = {*zip(labels.tolist(), groups, strict=True)}
    counts = Counter(label for label, _ in pairs)
    return [counts[each] for each in range(len(classes))]


def _cell(value: float) -> float | str:
    """Leave a cell empty for NaN."""
    return "" if math.isnan(value) else value


def _save_rows(rows: list[Sequence[Any]], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
