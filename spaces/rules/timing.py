"""D03: re-weighting that begins after training may have ended, and pruning that begins too soon."""

import math
from collections.abc import Callable, Iterator, Mapping

from spaces.pruning import AUTO, PRUNING_RULES
from spaces.rules.conditions import drawable
from spaces.rules.fields import Fields
from spaces.rules.finding import Finding
from spaces.rungs import rung_epochs
from spaces.space import TrialConfig
from spaces.study import Study

# Returns a configuration's `epochs` and its `settled_epoch`, the last epoch of warm-up and
# unfreezing; None for a configuration that the objective refuses.
Schedule = Callable[[TrialConfig], Mapping[str, int] | None]

_PHASES = ("warmup_epochs", "warmup_steps", "frozen_epochs", "trained_stages", "epochs_per_stage")
_REWEIGHTING = ("balancing", "drw_start", "epochs", "patience", "min_epochs", *_PHASES)


def late_reweighting(study: Study, fields: Fields, schedule: Schedule) -> Iterator[Finding]:
    """Find deferred re-weighting that begins after early stopping can have ended a trial.

    It acts in the epochs above drw_start * epochs. Training can end first after `patience` epochs
    without a better loss, counted from the first epoch or the settled one, whichever is later, and
    never before min_epochs.
    """
    if "drw_start" not in fields:
        return
    late = [
        (_first_reweighted(config, plan), _earliest_end(config, plan), config)
        for _, config in drawable(study, fields, _REWEIGHTING)
        if config["balancing"] == "ldam_drw" and config["patience"] and (plan := schedule(config))
        if _earliest_end(config, plan) < _first_reweighted(config, plan)
    ]
    if late:
        begins, ends, config = max(late, key=lambda each: each[0])
        share = math.floor(100 * (ends - 1) / int(config["epochs"] or 1)) / 100
        yield Finding(
            "D03",
            "error",
            f"deferred re-weighting (drw_start {config['drw_start']}) begins in epoch {begins} of"
            f" {config['epochs']}, but early stopping (patience {config['patience']}, min_epochs"
            f" {config['min_epochs']}) can end training after epoch {ends}; set min_epochs to"
            f" {begins} or drw_start to {share:g} or less",
        )


def misplaced_rung(study: Study, fields: Fields, schedule: Schedule) -> Iterator[Finding]:
    """Find a first pruning epoch within a trial's warm-up or unfreezing, or beyond every trial."""
    first = study.pruning.first_epoch
    plans = [
        plan
        for _, config in drawable(study, fields, ("epochs", *_PHASES))
        if (plan := schedule(config))
    ]
    judges_epochs = PRUNING_RULES[study.pruning.rule].between_epochs
    if first is None or not judges_epochs or not plans:
        return
    settled = max(plan["settled_epoch"] for plan in plans)
    last = max(plan["epochs"] for plan in plans)
    if study.pruning.at_rungs:
        rungs = [rung for plan in plans for rung in rung_epochs(**plan).values()]
        last = max(rungs, default=0) + 1  # the first epoch that is too late
    elif first <= settled:  # a rung lies behind both
        yield Finding(
            "D03",
            "error",
            f"pruning begins at epoch {first}, but warm-up and unfreezing can last to epoch"
            f" {settled}, and until then a trial's values say nothing of its end; set first_epoch"
            f" to {settled + 1} or more, or leave it out",
        )
    if first >= last:
        no_later = f"the last rung of any trial is at epoch {last - 1}"
        no_longer = f"no trial goes on beyond epoch {last}"
        yield Finding(
            "D03",
            "error",
            f"pruning begins at epoch {first}, but"
            f" {no_later if study.pruning.at_rungs else no_longer}, so nothing is ever pruned;"
            " set first_epoch lower, or leave it out",
        )


def unknown_length(study: Study, fields: Fields, schedule: Schedule) -> Iterator[Finding]:
    """Find pruning where the length of a trial is unknown, as it may be of an author's own code."""
    plans = [schedule(config) for _, config in drawable(study, fields, ("epochs",))]
    is_known = all(plan is None or plan["epochs"] for plan in plans)
    if is_known or study.folds or not PRUNING_RULES[study.pruning.rule].between_epochs:
        return
    yield Finding(
        "D03",
        "warn" if study.pruning.rule == AUTO else "error",
        "no trial can be stopped early, because the length of its schedule is unknown; fix or"
        ' search `epochs`, the number that a trial goes through, or say Pruning("none")',
    )


def _first_reweighted(config: TrialConfig, plan: Mapping[str, int]) -> int:
    return math.floor(float(config["drw_start"] or 0) * plan["epochs"]) + 1


def _earliest_end(config: TrialConfig, plan: Mapping[str, int]) -> int:
    patience, fewest = (int(config[name] or 0) for name in ("patience", "min_epochs"))
    return max(fewest, max(1, plan["settled_epoch"]) + patience)
