"""The best trials side by side, and where they differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dashboards.analysis.numbers import NONE, short
from dashboards.analysis.snapshot import Snapshot
from spaces.shown import shown

BESIDE = 5


@dataclass(frozen=True)
class Cell:
    """A value of one trial, and whether it is the best trial's alone."""

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
            Cell(text, differs=at == 0 and len(texts) > 1 and text not in texts[1:])
            for at, text in enumerate(texts)
        ]
        yield Compared(param.name, cells)


def _text(params: Mapping[str, object], name: str) -> str:
    return shown(short(params[name])) if name in params else NONE
