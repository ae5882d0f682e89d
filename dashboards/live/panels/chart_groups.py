"""Which metrics of some curves are drawn, and which share a drawing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dashboards.analysis.curves.course import Course, has_curve
from dashboards.analysis.shown_metric import shown_metric, word
from objectives.contract import BALANCED_ACCURACY, MACRO_AUC, MICRO_BATCH, RULER, TRAIN_LOSS
from spaces.study import Study

TOGETHER = (
    (RULER, TRAIN_LOSS),
    ("val_cross_entropy", "val_criterion"),
    ("val_top1", "val_top3"),
    ("data_wait_s", "compute_s"),
)
FIRST = (BALANCED_ACCURACY, MACRO_AUC, "val_macro_f1", "val_top1", "val_ece")


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The curve of a trial, in every metric.

    name: "trial 3", or "fold 2".
    place: of its colour and shape; None where these tell metrics apart.
    is_behind: whether it is drawn in grey, for comparison, in the first metric alone.
    value_epoch: the epoch to point at; None for none.
    """

    course: Course
    name: str = ""
    place: int | None = None
    is_behind: bool = False
    value_epoch: int | None = None


@dataclass(frozen=True)
class Constant:
    """A metric with one value in all epochs, in words."""

    name: str
    value: str


def groups(study: Study, curves: Sequence[Curve], *, together: bool) -> list[list[str]]:
    """List the metrics that are drawn, those of one drawing together.

    The study's own comes first, then those that most ask for, then the others by name.

    together: whether those that belong together share a drawing.
    """
    left = {name: None for curve in curves for name in curve.course.values if has_curve(name)}
    left = {name: None for name in left if not _is_constant(curves, name)}
    drawn = []
    for first in (study.metric, RULER, *FIRST, *sorted(left)):
        if first in left:
            family = next((each for each in TOGETHER if first in each), (first,))
            names = [name for name in family if name in left] if together else [first]
            names.sort(key=lambda name: name != first)
            drawn.append(names)
            left = {name: None for name in left if name not in names}
    return drawn


def constants(curves: Sequence[Curve]) -> list[Constant]:
    """List the metrics that did not change, with their values in the trial in front."""
    own = [curve for curve in curves if not curve.is_behind]
    names = dict.fromkeys(name for curve in own for name in curve.course.values)
    return [
        Constant(word(name), shown_metric(name, known(own, name)[0]))
        for name in names
        if has_curve(name) and known(own, name) and _is_constant(curves, name)
    ]


def _is_constant(curves: Sequence[Curve], name: str) -> bool:
    """Say whether a metric is one number, the same in all epochs or measured in the first alone."""
    values = known(curves, name)
    if not values or name.startswith("first_"):
        return True
    is_long = any(len(curve.course.epochs) > 1 for curve in curves)
    return len(set(values)) == 1 and (is_long or name == MICRO_BATCH)


def known(curves: Iterable[Curve], name: str) -> list[float]:
    """Return every value of a metric in some curves."""
    return [
        value
        for curve in curves
        for value in curve.course.values.get(name, ())
        if value is not None
    ]
