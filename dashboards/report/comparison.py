"""The best trials side by side: where they differ, and how certain the best value is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dashboards.analysis.numbers import NONE, interval, short
from dashboards.analysis.snapshot import Snapshot
from objectives.contract import HIGH, LOW
from spaces.shown import shown
from spaces.study import Study
from storage.rows import TrialRow

BESIDE = 5


@dataclass(frozen=True)
class Cell:
    """A value of one trial, and whether it sets the best trial apart."""

    text: str
    differs: bool


@dataclass(frozen=True)
class Compared:
    """One hyperparameter in each of the best trials, the best first."""

    name: str
    cells: Sequence[Cell]


def compare_best(snapshot: Snapshot) -> Iterator[Compared]:
    """Yield the searched hyperparameters of the best trials."""
    best = snapshot.look.ranking[:BESIDE]
    for param in snapshot.study.space:
        texts = [_text(trial.params, param.name) for trial in best]
        cells = [
            Cell(text, differs=at == 0 and any(other != text for other in texts[1:]))
            for at, text in enumerate(texts)
        ]
        yield Compared(param.name, cells)


def interval_of(trial: TrialRow | None, study: Study) -> str:
    """Return the 95 % interval of a trial's value; "" with folds, and where none is recorded."""
    if trial is None or study.folds:
        return ""
    epoch = trial.last if study.value == "last" else trial.best
    metrics = epoch.metrics if epoch else {}
    return interval(*(metrics.get(study.metric + end) for end in (LOW, HIGH)))


def _text(params: Mapping[str, object], name: str) -> str:
    return shown(short(params[name])) if name in params else NONE
