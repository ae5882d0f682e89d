"""How the trials of a study ended: how many by each outcome, with the first reason."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from dashboards.analysis.snapshot import Snapshot
from dashboards.report.lines import TrialLine
from storage.rows import Outcome

MEANINGS: Mapping[Outcome, str] = {
    Outcome.FINISHED: "went through its schedule",
    Outcome.PRUNED: "stopped early, because it was worse than others",
    Outcome.DIVERGED: "a loss was not finite, or exploded",
    Outcome.OUT_OF_MEMORY: "not one image fitted into the memory",
    Outcome.CODE_ERROR: "the training code raised an error",
    Outcome.DATA_ERROR: "the data could not be read or used",
    Outcome.METRIC_OUT_OF_RANGE: "a metric was out of its range",
    Outcome.KILLED: "its process died three times without an epoch between",
    Outcome.STALLED: "made no step, three times without an epoch between",
    Outcome.CUDA_ERROR: "a CUDA error, three times without an epoch between",
    Outcome.ENDED_ELSEWHERE: "added or ended by a person through Optuna; never the best one",
}


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
            meaning=MEANINGS[Outcome(outcome)],
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
