"""How the trials of a study ended: how many by each outcome, with the first reason."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from dashboards.analysis.snapshot import Snapshot
from dashboards.analysis.trials.state import SENTENCES
from dashboards.report.lines import TrialLine
from storage.rows import Outcome


@dataclass(frozen=True, kw_only=True)
class Ending:
    """The trials that ended in one way.

    first: the number of the first of them.
    detail: why this one ended so, "" where nothing is stored.
    """

    outcome: str
    count: int
    meaning: str
    first: int
    detail: str


@dataclass(frozen=True, kw_only=True)
class Prunings:
    """The pruned trials: how many, after how many epochs, and how many were to be trained.

    shortest, typical, longest: epochs at which they were stopped.
    """

    count: int
    shortest: int
    typical: float
    longest: int


def endings_of(snapshot: Snapshot) -> Iterator[Ending]:
    """Yield the ways in which trials ended, the most frequent first."""
    for outcome, count in snapshot.outcomes.most_common():
        first = snapshot.look.firsts[Outcome(outcome)]
        yield Ending(
            outcome=outcome.replace("_", " "),
            count=count,
            meaning=SENTENCES[Outcome(outcome)],
            first=first.number,
            detail=first.detail or "",
        )


def prunings_of(trials: Sequence[TrialLine]) -> Prunings | None:
    """Add up the pruned trials; None without one."""
    epochs = [trial.epochs for trial in trials if trial.outcome == Outcome.PRUNED]
    if not epochs:
        return None
    return Prunings(
        count=len(epochs), shortest=min(epochs), typical=median(epochs), longest=max(epochs)
    )
