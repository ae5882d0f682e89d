"""The priors of a study's searched hyperparameters against its finished trials."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.study import StudyDirection

from dashboards.analysis.distributions import distributions
from dashboards.analysis.priors.guaranteed import Counts, count_guaranteed
from dashboards.analysis.priors.options import OptionEvidence, judge_options
from dashboards.analysis.priors.ranges import NumberEvidence, judge_number
from dashboards.analysis.priors.ruling import Ranked
from dashboards.analysis.snapshot import Snapshot
from spaces.params import Float, Int, Value
from spaces.space import Space
from storage.engine.arrays import StudyArrays
from storage.reader import StoreReader

FEWEST = 12  # finished trials; of fewer, nothing is said


@dataclass(frozen=True, kw_only=True)
class ParamEvidence:
    """The evidence on one searched hyperparameter.

    when: the values of earlier ones under which it exists.
    trials: how many finished trials have it.
    found: None where they are fewer than FEWEST.
    """

    name: str
    when: Mapping[str, Value]
    trials: int
    found: NumberEvidence | OptionEvidence | None

    @property
    def missing(self) -> int:
        """How many more finished trials it takes until something is said."""
        return max(0, FEWEST - self.trials)


@dataclass(frozen=True)
class Evidence:
    """The evidence on every searched hyperparameter, in their order; () before FEWEST trials.

    finished: how many trials have finished with a value.
    guaranteed: how many finished trials each option has, where the study guarantees some.
    """

    finished: int = 0
    params: Sequence[ParamEvidence] = ()
    guaranteed: Counts = field(default_factory=dict)

    @property
    def missing(self) -> int:
        """How many more finished trials it takes until something is said."""
        return max(0, FEWEST - self.finished)


class EvidenceReader:
    """Reads the evidence of one study; only what has changed since the time before."""

    def __init__(self) -> None:
        self._ended, self._last = -1, Evidence()
        self._declared: Mapping[str, BaseDistribution] = {}

    def read(self, store: StoreReader, snapshot: Snapshot) -> Evidence:
        """Read it again if a trial has ended since."""
        if snapshot.ended != self._ended:
            self._declared = self._declared or distributions(snapshot.study.space)
            arrays = store.arrays(snapshot.study.name)
            self._last = replace(
                find_evidence(snapshot.study.space, self._declared, arrays),
                guaranteed=count_guaranteed(snapshot.study, self._declared, arrays),
            )
            self._ended = snapshot.ended
        return self._last


def find_evidence(
    space: Space, declared: Mapping[str, BaseDistribution], arrays: StudyArrays
) -> Evidence:
    """Judge each hyperparameter of a space by the trials that finished here.

    declared: their distributions, by name.
    """
    finished = np.flatnonzero(arrays.is_finished & np.isfinite(arrays.values))
    if len(finished) < FEWEST:
        return Evidence(len(finished))
    results = arrays.values[finished]
    if arrays.direction == StudyDirection.MAXIMIZE:
        results = -results
    order = np.argsort(results, kind="stable")
    numbers, results = finished[order], results[order]
    judged = []
    for param in space:
        column = arrays.column(param.name, declared[param.name])[numbers]
        has_it = ~np.isnan(column)
        ranked = Ranked(numbers[has_it], column[has_it], results[has_it])
        judge = judge_number if isinstance(param, Float | Int) else judge_options
        judged.append(
            ParamEvidence(
                name=param.name,
                when=param.when,
                trials=ranked.count,
                found=judge(param, ranked) if ranked.count >= FEWEST else None,  # type: ignore[arg-type]
            )
        )
    return Evidence(len(finished), judged)
