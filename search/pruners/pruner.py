"""The decision of each pruning rule: the only place that looks at the rule's name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from search.pruners.curve import Curve
from search.pruners.folds import why_worse_folds
from search.pruners.median import why_below_median
from search.pruners.others import Others
from search.pruners.rungs import note_missed_rungs, why_stopped_at_rung
from spaces.pruning import AUTO
from spaces.study import Study


@dataclass(frozen=True, kw_only=True)
class Pruner:
    """The decisions of a rule: why to stop a trial, None to let it go on.

    A decision is None where the rule stops none.

    between_epochs: given the study, the trial's curve, and questions about the other trials.
    between_folds: given the study, the trial's values by fold and those of the best trial that
        completed; these are empty before `startup_trials` have completed.
    at_end: called with the same as between_epochs for a trial that has finished, or goes on
        although it was to be stopped.
    """

    between_epochs: Callable[[Study, Curve, Others], str | None] | None = None
    between_folds: (
        Callable[[Study, Mapping[int, float], Mapping[int, float]], str | None] | None
    ) = None
    at_end: Callable[[Study, Curve, Others], None] | None = None


RUNGS = Pruner(
    between_epochs=why_stopped_at_rung, between_folds=why_worse_folds, at_end=note_missed_rungs
)

# By the names of `spaces/pruning.py`.
PRUNERS: Mapping[str, Pruner] = {
    AUTO: RUNGS,
    "rungs": RUNGS,
    "median": Pruner(between_epochs=why_below_median, between_folds=why_worse_folds),
    "none": Pruner(),
}
