"""Sentences of the report: early stops, interruptions, missing importances."""

from collections.abc import Iterable, Sequence

from dashboards.analysis.numbers import counted
from dashboards.report.importances import FEWEST
from dashboards.report.lines import TrialLine
from spaces.pruning import PRUNING_RULES
from spaces.study import FIRST_JUDGED_FOLDS, Study

LAST_OF_LIST = " and "


def pruning_of(study: Study) -> str:
    """Return which trials are stopped early, as a sentence."""
    rule, first = PRUNING_RULES[study.pruning.rule], study.pruning.first_epoch
    if study.folds > FIRST_JUDGED_FOLDS and rule.between_folds:
        return f"From the third fold on, {rule.between_folds} was stopped between folds."
    if study.folds or not rule.between_epochs:
        return "No trial was stopped early."
    since = f"epoch {first}" if first else "the end of warm-up and a quarter of its schedule"
    return f"From {since} on, {rule.between_epochs} was stopped early."


def attempts_of(trials: Sequence[TrialLine]) -> str:
    """Say how often trials were interrupted and continued."""
    again = [trial.attempts - 1 for trial in trials if trial.attempts > 1]
    if not again:
        return "No trial was interrupted." if trials else ""
    were = f"{counted(len(again), 'trial was', 'trials were')} interrupted and continued"
    return f"{were}, {counted(sum(again), 'time')} in all."


def no_importances(finished: int) -> str:
    """Say why there are no importances."""
    if finished < FEWEST:
        return f"Not shown before {FEWEST} trials have finished; so far {finished} have."
    return "Not shown: too few finished trials have the values of this study's space."


def and_so_on(words: Iterable[str]) -> str:
    """Return words as a list: a, b and c."""
    *others, last = list(words) or [""]
    return f"{', '.join(others)}{LAST_OF_LIST}{last}" if others else last
