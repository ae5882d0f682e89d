"""The course that a study will take: its first trial, its sampler, and where trials are stopped."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dashboards.analysis.methods.pruning import pruning_of, stops_at_rungs
from dashboards.analysis.methods.sampler import guaranteed, order
from dashboards.analysis.methods.sections import and_so_on
from dashboards.analysis.numbers import exact
from search.studies.rules import schedule_of
from spaces.params import Value
from spaces.rungs import rungs_of
from spaces.shown import shown
from spaces.stored import StoredStudy


@dataclass(frozen=True, kw_only=True)
class Course:
    """The course of a study.

    first: the values of the first trial.
    sampler, pruning: what draws the values, and which trials are stopped early, in sentences.
    rungs: epochs of a schedule -> the epochs of its rungs; empty where none is compared at rungs.
    """

    first: Mapping[str, Value]
    sampler: str
    pruning: str
    rungs: Mapping[int, Sequence[int]] = field(default_factory=dict)

    @property
    def lines(self) -> Iterator[str]:
        """The course in lines."""
        values = ", ".join(f"{name}={shown(exact(each))}" for name, each in self.first.items())
        yield f"first trial: {values or 'the fixed values'}"
        yield self.sampler
        yield self.pruning
        if told := [f"{and_so_on(map(str, at))} of {n}" for n, at in self.rungs.items() if at]:
            yield f"trials are compared at epochs {'; '.join(told)}"


def course_of(stored: StoredStudy) -> Course:
    """Return the course of a study whose rules hold."""
    study = stored.study
    first = dict(study.enqueue[0]) if stored.found.promoted_from else study.space.mode()
    return Course(
        first=first,
        sampler=" ".join([*order(stored), *guaranteed(study)]),
        pruning=pruning_of(stored),
        rungs=dict(_rungs(stored, first)) if stops_at_rungs(stored) else {},
    )


def _rungs(stored: StoredStudy, first: Mapping[str, Value]) -> Iterator[tuple[int, Sequence[int]]]:
    """Yield the rungs of the first trial, and of the shortest and the longest schedule like it."""
    param, config = stored.study.space.get("epochs"), stored.config(first)
    ends = param.corners() if param and "epochs" in first else ()
    configs = [config, *({**config, "epochs": end} for end in ends)]
    plans = [plan for each in configs if (plan := schedule_of(stored.objective, each))]
    # An author's own code may not tell its epochs: 0.
    for epochs, settled in sorted({(plan["epochs"], plan["settled_epoch"]) for plan in plans}):
        if epochs:
            yield epochs, list(rungs_of(stored.study, epochs, settled).values())
