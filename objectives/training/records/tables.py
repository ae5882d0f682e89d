"""The records of a finished trial for people to read: three tables and a picture."""

import csv
import math
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from objectives.contract import (
    CONFUSION_MATRIX,
    LEARNING_CURVES,
    PER_CLASS,
    SUMMARY_PICTURE,
    Attempt,
    EpochResult,
)
from objectives.files.whole import write_whole
from objectives.training.measures.metrics import aucs, confusion, f1_scores, precisions, recalls
from objectives.training.records.best import Best
from objectives.training.records.pooled import out_of_fold

Rows = Iterable[Sequence[Any]]


def keep_records(
    attempt: Attempt,
    results: Sequence[EpochResult],
    bests: Sequence[Best],
    ends: Sequence[Best] = (),
) -> None:
    """Write the records of a finished trial into its attempt's folder, each whole or not at all.

    They are `learning_curves.csv`; `confusion_matrix.csv` and `per_class.csv` of the best epoch's
    validation logits, or of all folds' last epochs together; and `summary.png`, which draws them.

    bests: each fold's best epoch.
    ends: each fold's last epoch; empty without folds.
    """
    # Here, because it takes .4 s, which only a finished trial needs.
    from objectives.training.records.picture import draw_summary

    classes = bests[-1].classes
    logits, labels = out_of_fold(ends) if ends else (bests[0].logits, bests[0].labels)
    matrix = confusion(logits, labels)
    tables = {
        LEARNING_CURVES: _learning_curves(results),
        CONFUSION_MATRIX: _confusion_matrix(matrix, classes),
        PER_CLASS: _per_class(matrix, aucs(logits.double(), labels), classes),
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


def _per_class(matrix: Tensor, areas: Tensor, classes: Sequence[str]) -> Rows:
    yield "class", "images", "recall", "recall_low", "recall_high", "precision", "f1", "auc"
    columns = zip(
        classes,
        matrix.sum(dim=1).tolist(),
        recalls(matrix).tolist(),
        matrix.diagonal().tolist(),
        precisions(matrix).tolist(),
        f1_scores(matrix).tolist(),
        areas.tolist(),
        strict=True,
    )
    for name, images, recall, right, *others in columns:
        yield name, images, *map(_cell, (recall, *_interval(right, images), *others))


def _interval(right: int, images: int) -> tuple[float, float]:
    """Compute the 95 % interval of a share (Wilson 1927); NaN without images."""
    from scipy.stats import binomtest  # slow to load; scikit-learn has loaded it by now

    if not images:
        return math.nan, math.nan
    interval = binomtest(right, images).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def _cell(value: float) -> float | str:
    """Leave a cell empty for NaN."""
    return "" if math.isnan(value) else value


def _save_rows(rows: list[Sequence[Any]], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
