"""A searched hyperparameter in words: its values, its prior, its condition."""

from collections.abc import Iterable, Sequence

from dashboards.analysis.numbers import counted, percent, short
from dashboards.report.importances import FEWEST
from dashboards.report.lines import TrialLine
from spaces.params import Choice, Float, Int, Param, Toggle
from spaces.pruning import PRUNING_RULES
from spaces.shown import shown
from spaces.study import FIRST_JUDGED_FOLDS, Study

LAST_OF_LIST = " and "


def values_of(param: Param) -> str:
    """Return the values that a parameter may take."""
    match param:
        case Float() | Int():
            scale = ", by its logarithm" if param.log else ""
            return f"{short(param.low)} to {short(param.high)}{scale}"
        case _:
            return ", ".join(shown(short(option)) for option in param.corners())


def prior_of(param: Param) -> str:
    """Return the belief that was declared before any trial; "even" for none."""
    match param:
        case Float() | Int() if param.prior:
            return f"around {short(param.prior.center)}, {param.prior.confidence} confidence"
        case Choice() if len(set(param.weights)) > 1:
            whole = sum(param.weights)
            weighed = zip(param.choices, param.weights, strict=True)
            return ", ".join(
                f"{shown(short(each))} {percent(weight / whole, 0)}" for each, weight in weighed
            )
        case Toggle() if param.prior != 0.5:
            return f"on {percent(param.prior, 0)}"
    return "even"


def condition_of(param: Param) -> str:
    """Return when a parameter exists; "" for always."""
    return and_so_on(f"{name} is {shown(short(value))}" for name, value in param.when.items())


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
