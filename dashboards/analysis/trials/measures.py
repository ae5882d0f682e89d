"""The metrics of some trials side by side, each with its interval."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from objectives import catalog
from objectives.contract import HIGH, LOW
from spaces.stored import StoredStudy
from spaces.study import Study
from storage.rows import EpochRow, TrialRow


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One metric of one trial; low and high: of its 95 % interval, None without one."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One metric of some trials.

    doc: what it is.
    lower_is_better: whether it falls where trials get better.
    changed_by: the hyperparameters that turn it into another measure.
    of: each trial, in their order.
    """

    name: str
    doc: str
    lower_is_better: bool
    changed_by: Sequence[str]
    of: Sequence[Figure]

    @property
    def best(self) -> float | None:
        """The best value; None where fewer than two trials have the metric."""
        known = [each.value for each in self.of if each.value is not None]
        return (min if self.lower_is_better else max)(known) if len(known) > 1 else None


def value_epoch(study: Study, trial: TrialRow) -> EpochRow | None:
    """Return the epoch that gives a trial its value; None before the first."""
    return trial.last if study.value == "last" or study.folds else trial.best


def value_metrics(study: Study, trial: TrialRow) -> Mapping[str, float]:
    """Return the metrics of that epoch; with folds, of one fold alone, but for the pooled ones."""
    epoch = value_epoch(study, trial)
    return epoch.metrics if epoch else {}


def interval_of(study: Study, trial: TrialRow | None) -> tuple[float | None, float | None]:
    """Return the ends of the 95 % interval of a trial's value; None each where it has none.

    A mean over folds has none.
    """
    if trial is None or study.folds:
        return None, None
    metrics = value_metrics(study, trial)
    return metrics.get(study.metric + LOW), metrics.get(study.metric + HIGH)


def measures(stored: StoredStudy, trials: Sequence[TrialRow]) -> list[Measure]:
    """List the metrics that rank epochs, the study's own first, at each trial's value epoch.

    In a study with folds they are those of the last epoch, and the study's own is the value.
    """
    study, known = stored.study, catalog.describe(stored.objective).metrics
    metrics = [value_metrics(study, trial) for trial in trials]
    return [
        Measure(
            name=name,
            doc=str(known.get(name, {}).get("doc", "")),
            lower_is_better=lower_is_better(stored, name),
            changed_by=known.get(name, {}).get("changed_by", ()),
            of=[_figure(study, *pair, name) for pair in zip(trials, metrics, strict=True)],
        )
        for name in _names(study, known, metrics)
    ]


def lower_is_better(stored: StoredStudy, metric: str) -> bool:
    """Say whether a metric falls where trials get better."""
    if metric == stored.study.metric:
        return stored.study.direction == "minimize"
    known = catalog.describe(stored.objective).metrics.get(metric, {})
    return bool(known.get("direction", "minimize") == "minimize")


def _names(
    study: Study, known: Mapping[str, Mapping[str, object]], metrics: Sequence[Mapping[str, float]]
) -> Iterator[str]:
    yield study.metric
    recorded = {name for each in metrics for name in each}
    for name, traits in known.items():
        if traits.get("ranks") and name in recorded and name != study.metric:
            yield name


def _figure(study: Study, trial: TrialRow, metrics: Mapping[str, float], name: str) -> Figure:
    value = metrics.get(name)
    if name == study.metric and (trial.value is not None or study.folds):
        value = trial.value
    if study.folds and name == study.metric:
        return Figure(value=value)
    return Figure(value=value, low=metrics.get(name + LOW), high=metrics.get(name + HIGH))
