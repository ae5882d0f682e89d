"""One picture of a finished trial: its learning curves and its confusion matrix."""

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.path import Path as Shape
from matplotlib.textpath import TextPath
from matplotlib.ticker import MaxNLocator, PercentFormatter, StrMethodFormatter
from matplotlib.transforms import Affine2D

from objectives.contract import FOLD, EpochResult

Counts = np.ndarray[Any, np.dtype[np.int64]]
Shares = np.ndarray[Any, np.dtype[np.float64]]
Box = tuple[float, float, float, float]

# The colours of Okabe and Ito, which colour-blind people can tell apart too.
_BLUE, _SKY, _ORANGE, _GREEN = "#0072B2", "#56B4E9", "#E69F00", "#009E73"
_INK, _FAINT = "#333333", "#e4e4e4"
_LOSSES = {"train_loss": _ORANGE, "val_cross_entropy": _SKY, "val_loss": _BLUE}
_SHARES = {"val_top1": _SKY, "val_balanced_accuracy": _GREEN}
_SHADES = LinearSegmentedColormap.from_list("shades", ("#ffffff", "#9ecae1", _BLUE, "#08306b"))
_COUNTED = 40  # classes; with more there is no room for numbers
_NAME_LENGTH = 28  # characters
_DPI = 100

# Inches. The layout is computed here because matplotlib's own draws everything twice.
_LEFT, _CURVES, _TOP, _RIGHT = 0.7, 5.2, 1.0, 0.3
_CELL, _SMALLEST, _LARGEST = 0.3, 3.4, 12.0  # sides of a matrix cell and of the matrix
_CHARACTER = 0.065  # width of a character of a name, 8 points high


def draw_summary(
    path: Path,
    results: Sequence[EpochResult],
    *,
    best_epochs: Sequence[int],
    confusion: Counts,
    classes: Sequence[str],
) -> None:
    """Write a PNG with the learning curves at the left and the confusion matrix at the right.

    best_epochs: of each fold, or the only one.
    confusion: (classes, classes), images by true class (row) and predicted class (column).
    """
    names = [_short(name) for name in classes]
    page = _Page.of(names)
    figure = Figure(figsize=(page.width, page.height), dpi=_DPI)
    losses, shares, matrix = page.axes(figure)
    _write_headline(figure, page, results, best_epochs)
    _draw_curves(losses, results, _LOSSES, best_epochs)
    _draw_curves(shares, results, _SHARES, best_epochs)
    _dress_curves(losses, shares)
    _draw_matrix(matrix, confusion, names, page)
    with warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as boxes; the tables spell it.
        warnings.filterwarnings("ignore", message="Glyph")
        figure.savefig(path, format="png", pil_kwargs={"compress_level": 3})


@dataclass(frozen=True)
class _Page:
    """The layout in inches, as wide as the names and the number of the classes need."""

    classes: int
    side: float
    longest: float

    @classmethod
    def of(cls, names: Sequence[str]) -> "_Page":
        side = min(max(_CELL * len(names), _SMALLEST), _LARGEST)
        return cls(len(names), side, longest=_CHARACTER * max(map(len, names)))

    @property
    def width(self) -> float:
        return self._matrix_left + self.side + _RIGHT

    @property
    def height(self) -> float:
        return self._bottom + self.side + _TOP

    @property
    def cell(self) -> float:
        return self.side / self.classes

    @property
    def is_level(self) -> bool:
        """Whether the columns' names fit side by side."""
        return self.longest < 0.9 * self.cell

    def axes(self, figure: Figure) -> tuple[Axes, Axes, Axes]:
        """Add axes for the losses, for the shares below them and for the matrix beside them."""
        top, between = self.height - _TOP, 0.5
        height = (min(top - 0.6, 6.0) - between) / 2
        losses = figure.add_axes(self._box(_LEFT, top - height, _CURVES, height))
        below = self._box(_LEFT, top - 2 * height - between, _CURVES, height)
        matrix = figure.add_axes(self._box(self._matrix_left, self._bottom, self.side, self.side))
        return losses, figure.add_axes(below, sharex=losses), matrix

    @property
    def _matrix_left(self) -> float:
        return _LEFT + _CURVES + 0.8 + self.longest

    @property
    def _bottom(self) -> float:
        return 0.7 if self.is_level else 0.3 + self.longest

    def _box(self, left: float, bottom: float, width: float, height: float) -> Box:
        """Convert inches to matplotlib's box, in shares of the page."""
        return (
            left / self.width,
            bottom / self.height,
            width / self.width,
            height / self.height,
        )


def _write_headline(
    figure: Figure, page: _Page, results: Sequence[EpochResult], best_epochs: Sequence[int]
) -> None:
    best = [result.metrics for result in results if result.epoch in best_epochs]
    loss, accuracy = (
        fmean(metrics[name] for metrics in best) for name in ("val_loss", "val_balanced_accuracy")
    )
    epochs = f"Best epoch {best_epochs[0]} of {len(results)}:  "
    if len(best) > 1:
        epochs = f"Mean of the best epochs of {len(best)} folds:  "
    text = f"{epochs}val_loss {loss:.4f},  balanced accuracy {accuracy:.1%}"
    left, up = _LEFT / page.width, 1 - 0.4 / page.height
    figure.text(left, up, text, fontsize=12, weight="bold", color=_INK)


def _draw_curves(
    axes: Axes,
    results: Sequence[EpochResult],
    curves: Mapping[str, str],
    best_epochs: Sequence[int],
) -> None:
    marker = "o" if len(results) <= 30 else ""
    for name, color in curves.items():
        epochs, values = zip(*_points(results, name), strict=True)
        axes.plot(epochs, values, marker=marker, markersize=3.5, color=color, label=name)
    axes.set_xlim(results[0].epoch - 0.5, results[-1].epoch + 0.5)
    for epoch in best_epochs:
        axes.axvline(epoch, color=_INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)


def _points(results: Sequence[EpochResult], name: str) -> Iterator[tuple[float, float]]:
    """Yield a curve's points, with a gap before each fold, since each fold trains a new network."""
    for before, result in pairwise((results[0], *results)):
        if before.metrics.get(FOLD) != result.metrics.get(FOLD):
            yield math.nan, math.nan
        yield result.epoch, _finite(result.metrics.get(name, math.nan))


def _dress_curves(losses: Axes, shares: Axes) -> None:
    lowest, highest = losses.dataLim.intervaly
    if lowest > 0 and highest > 20 * lowest:
        losses.set_yscale("log")
        losses.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    shares.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    shares.yaxis.set_major_formatter(PercentFormatter(1.0))
    shares.set_xlabel("epoch (dashed: the best one)", fontsize=9, color=_INK)
    for axes, title in ((losses, "Losses"), (shares, "Classified right")):
        _dress(axes, title)
        axes.grid(color=_FAINT, linewidth=0.7)
        axes.set_axisbelow(True)
        # Beside the title: inside, it would sooner or later hide a curve.
        axes.legend(
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            borderaxespad=0.0,
            ncols=3,
            fontsize=8,
            frameon=False,
            labelcolor=_INK,
        )
    losses.tick_params(labelbottom=False)


def _draw_matrix(axes: Axes, confusion: Counts, names: Sequence[str], page: _Page) -> None:
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    axes.imshow(_SHADES(shares), aspect="auto")
    _dress(axes, "True class (rows) taken for (columns)")
    axes.spines[:].set(visible=True, color=_FAINT)
    shown = range(0, len(names), math.ceil(len(names) / _COUNTED))
    labels = [names[each] for each in shown]
    # A dollar in a name does not begin a formula.
    axes.set_yticks(shown, labels, parse_math=False)
    axes.set_xticks(shown, labels, parse_math=False, rotation=0 if page.is_level else 90)
    if len(names) <= _COUNTED:
        # Four digits are two and a half times as wide as they are high.
        _write_counts(axes, confusion, shares, points=min(10.0, 0.3 * 72 * page.cell))


def _dress(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=10, color=_INK)
    axes.tick_params(which="both", length=0, labelsize=8, labelcolor=_INK)
    axes.spines[:].set_visible(False)


def _write_counts(axes: Axes, confusion: Counts, shares: Shares, points: float) -> None:
    """Draw the counts above 0 as shapes: as 500 texts they would take .35 s instead of .04."""
    shapes = {count: _centred(str(count), points) for count in np.unique(confusion).tolist()}
    for color, is_here in (("white", shares > 0.5), (_INK, shares <= 0.5)):
        rows, columns = np.nonzero(is_here & (confusion > 0))
        axes.add_collection(
            PathCollection(
                [shapes[count] for count in confusion[rows, columns].tolist()],
                offsets=np.stack([columns, rows], axis=1),
                offset_transform=axes.transData,
                transform=Affine2D().scale(_DPI / 72),
                facecolor=color,
            ),
            autolim=False,
        )


def _centred(text: str, size: float) -> Shape:
    path = TextPath((0, 0), text, size=size)
    box = path.get_extents()
    return path.transformed(Affine2D().translate(-(box.x0 + box.x1) / 2, -(box.y0 + box.y1) / 2))


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan


def _short(name: str) -> str:
    return name if len(name) <= _NAME_LENGTH else name[: _NAME_LENGTH - 1] + "…"
