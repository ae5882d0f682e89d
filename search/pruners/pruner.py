"""The decision of each pruning rule: the only place that looks at the rule's name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dashboards.analysis.curves.completed import CompletedCurves
from search.pruners.curve import Curve
from search.pruners.folds import has_worse_folds
from search.pruners.median import is_hopeless
from spaces.study import Study


@dataclass(frozen=True, kw_only=True)
class Pruner:
    """The decisions of a rule whether to stop a trial; None where the rule stops none.

    between_epochs: given the study, the trial's curve, and a function that reads the curves of the
        completed trials.
    between_folds: given the study, the trial's values by fold and those of the best trial that
        completed; these are empty before `startup_trials` have completed.
    """

    between_epochs: Callable[[Study, Curve, Callable[[], CompletedCurves]], bool] | None = None
    between_folds: Callable[[Study, Mapping[int, float], Mapping[int, float]], bool] | None = None


# By the names of `spaces/pruning.py`.
PRUNERS: Mapping[str, Pruner] = {
    "median": Pruner(between_epochs=is_hopeless, between_folds=has_worse_folds),
    "none": Pruner(),
}
