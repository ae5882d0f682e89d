"""The pruning rules that a study may name, in words. Their decisions are in `search/pruners/`."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PruningRule:
    """The trials that a rule stops, in words for the study's page: "one that is worse than ...".

    between_epochs: in a study without folds; empty for a rule that stops none.
    between_folds: in a study with folds, whose trials are stopped between folds only; likewise.
    """

    between_epochs: str = ""
    between_folds: str = ""


PRUNING_RULES: Mapping[str, PruningRule] = {
    "median": PruningRule(
        between_epochs=(
            "one that is worse than the median of the others at the same share of their schedules"
        ),
        between_folds="one whose folds are significantly worse than the best trial's",
    ),
    "none": PruningRule(),
}
