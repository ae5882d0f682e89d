"""The questions that a pruning rule asks about the other trials of the study."""

from collections.abc import Callable
from dataclasses import dataclass

from dashboards.analysis.curves.completed import CompletedCurves
from storage.engine.rungs import Arrival, Standing


@dataclass(frozen=True, kw_only=True)
class Others:
    """Functions that read the other trials; DatabaseUnreachable while the database is away.

    completed: reads the curves of the completed trials.
    note: notes this trial at a rung and returns its rank there; None when its lease is lost.
    """

    completed: Callable[[], CompletedCurves]
    note: Callable[[Arrival], Standing | None]
