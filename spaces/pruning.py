"""The pruning rules that a study may name, in words. Their decisions are in `search/pruners/`."""

from collections.abc import Mapping
from dataclasses import dataclass

AUTO = "auto"


@dataclass(frozen=True, kw_only=True)
class PruningRule:
    """Why a rule stops a trial, in words for the study's page: "a trial is stopped for ...".

    between_epochs: in a study without folds; empty for a rule that stops none.
    between_folds: in a study with folds, whose trials are stopped between folds only; likewise.
    """

    between_epochs: str = ""
    between_folds: str = ""


WORSE_FOLDS = "for folds that are significantly worse than the best trial's"
RUNGS = PruningRule(
    between_epochs="for not being among the best third there",
    between_folds=WORSE_FOLDS,
)
PRUNING_RULES: Mapping[str, PruningRule] = {
    AUTO: RUNGS,
    "rungs": RUNGS,
    "median": PruningRule(
        between_epochs=(
            "for being worse than the median of the others at the same share of their schedules"
        ),
        between_folds=WORSE_FOLDS,
    ),
    "none": PruningRule(),
}
