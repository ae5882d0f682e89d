"""Numbers, times and trials in words, the same in every command."""

from collections.abc import Mapping

from dashboards.analysis.attempts.ledger import Slot
from dashboards.analysis.folds import fold_of
from dashboards.analysis.identical import IdenticalTrials
from dashboards.analysis.snapshot import Snapshot
from dashboards.analysis.unfinished import why_none_finished
from objectives.contract import FOLD_EPOCH
from spaces.params import Value
from spaces.study import Study
from storage.rows import TrialRow


def number(value: float | None) -> str:
    """Format a metric with four significant digits, or "-" where there is none."""
    return "-" if value is None else f"{value:.4g}"


def duration(seconds: float) -> str:
    """Format a time span as 3:07 or 2:03:07."""
    minutes, seconds_left = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes_left:02}:{seconds_left:02}"
    return f"{minutes_left}:{seconds_left:02}"


def params(trial: TrialRow) -> str:
    """Format the drawn values of a trial in one line."""
    return values(trial.params)


def values(named: Mapping[str, Value]) -> str:
    """Format values with their names in one line."""
    return ", ".join(
        f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in named.items()
    )


def title(snapshot: Snapshot) -> str:
    """Name the study and its metric, with "practice data" where it runs on such."""
    aim = {"minimize": "lower", "maximize": "higher"}[snapshot.study.direction]
    practice = " · practice data" if snapshot.stored.found.is_practice else ""
    return f"{snapshot.study.name}{practice} · {measure(snapshot.study)}, {aim} is better"


def measure(study: Study) -> str:
    """Name the measure of a trial's value, as `val_loss, mean over 5 folds`."""
    return f"{study.metric}, mean over {study.folds} folds" if study.folds else study.metric


def best(snapshot: Snapshot) -> str:
    """Describe the best trial so far with its values; where none finished, say why."""
    trial = snapshot.best
    if trial is None and snapshot.ended < snapshot.study.trials:
        return "no trial is complete yet"
    if trial is None:
        why = why_none_finished(snapshot)
        return f"{why.found}; {why.fix}"
    return f"best {number(trial.value)} in trial {trial.number}: {params(trial)}"


def counts(snapshot: Snapshot) -> str:
    """Count the trials that have ended, of the total and by outcome."""
    ways = [f"{count} {way}" for way, count in snapshot.outcomes.most_common()]
    return " · ".join([f"{snapshot.ended}/{snapshot.study.trials} trials", *ways])


def epochs(snapshot: Snapshot, trial: TrialRow) -> str:
    """Format the recorded and the planned epochs of a trial, as 3/8 or 3/8 in fold 2/5."""
    planned, folds = snapshot.planned_epochs(trial) or "?", snapshot.study.folds
    if not folds:
        return f"{trial.last.epoch if trial.last else 0}/{planned}"
    metrics = trial.last.metrics if trial.last else {}
    return f"{int(metrics.get(FOLD_EPOCH, 0))}/{planned} in fold {fold_of(metrics)}/{folds}"


def ending(snapshot: Snapshot, trial: TrialRow) -> str:
    """Describe how a final trial ended: its value, or the reason why it has none."""
    if trial.value is not None:
        return f"{trial.outcome}: {snapshot.study.metric} {number(trial.value)} ({params(trial)})"
    last = f"{snapshot.study.metric} {number(trial.last.value)}" if trial.last else "no epoch"
    reason = f"{trial.detail}, " if trial.detail else ""  # a person who ends a trial gives none
    return f"{trial.outcome}: {reason}{last} ({params(trial)})"


def suspicion(pair: IdenticalTrials) -> str:
    """Describe two identical trials in one line, with the next step."""
    (one, other), (first, second) = pair.values, pair.trials
    return (
        f"{pair.key}={one} and {pair.key}={other} gave the same {pair.metric} to the last bit in"
        f" trials {first} and {second}: is {pair.key} read anywhere? Fix that, or stop searching it"
        " (D02)"
    )


def slot_name(slot: Slot) -> str:
    """Name a place: `lab-ws1 · GPU 0`, `lab-ws1 · CPU 2`; without a number where it has none.

    A GPU that workers may share has the worker's number too: `lab-ws1 · GPU 0 · worker 3`.
    """
    if not slot.gpu:
        name = f"{slot.host} · {slot.device.upper()}"
        return f"{name} {slot.place}" if slot.place else name
    kind, _, uuid = slot.gpu.partition("-")  # 2, GPU-8f3a1c2d-... or MIG-8f3a1c2d-...
    name = f"{slot.host} · {kind} {uuid[:8]}" if uuid else f"{slot.host} · GPU {slot.gpu}"
    is_its_own = slot.gpu == str(slot.place - 1)
    return name if is_its_own or not slot.place else f"{name} · worker {slot.place}"
