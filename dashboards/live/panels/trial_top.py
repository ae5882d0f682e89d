"""The head of a trial's page: its state, its value, and how it stands to the best one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dashboards.analysis import numbers
from dashboards.analysis.overview import Overview
from dashboards.analysis.shown_metric import shown_interval, shown_metric
from dashboards.analysis.trials.configuration import Setting, differing
from dashboards.analysis.trials.measures import measures, value_epoch
from dashboards.analysis.trials.record import TrialRecord
from dashboards.analysis.trials.state import TrialState, state_of
from dashboards.analysis.wording import epochs, measure
from storage.rows import Outcome, TrialRow

AIMS = {"minimize": "lower is better", "maximize": "higher is better"}


@dataclass(frozen=True, kw_only=True)
class Top:
    """The trial in a few lines.

    standing: how it stands to the best one.
    folds: of the study; 0 for none.
    is_value: whether this is the trial's value, not that of its last epoch.
    place: what goes on in it now, or how its value came about.
    """

    state: TrialState
    folds: int
    value: str
    is_value: bool
    interval: str
    metric: str
    place: str
    standing: Sequence[str]
    badges: Sequence[str]
    detail: str
    where: str


def draw_top(overview: Overview, record: TrialRecord, found: Sequence[Setting]) -> Top:
    """Build the head; found: the settings of this trial and, where it is another, of the best."""
    study, trial = overview.study, record.trial
    own = measures(overview.stored, [trial])[0].of[0]
    value = trial.value if trial.value is not None else trial.last.value if trial.last else None
    return Top(
        state=state_of(trial),
        folds=study.folds,
        value=shown_metric(study.metric, value),
        is_value=trial.value is not None,
        interval=shown_interval(study.metric, own.low, own.high) if trial.value is not None else "",
        metric=f"{measure(study)}, {AIMS[study.direction]}",
        place=_place(overview, record),
        standing=[*_standing(overview, trial, found), *_at_rungs(record)],
        badges=[badge for badge in record.badges if badge != trial.outcome],
        detail=_detail(trial),
        where=trial.where or "",
    )


def _detail(trial: TrialRow) -> str:
    """Say why a trial has no value; of a pruned one, at which point of its schedule and why."""
    if trial.outcome == Outcome.PRUNED and trial.detail:
        return f"Stopped at {trial.detail}."
    return trial.detail or ""


def _place(overview: Overview, record: TrialRecord) -> str:
    """Say where a running trial is, or of which epoch the value is."""
    study, trial = overview.study, record.trial
    if trial.state == "WAITING":
        return ""
    if trial.last is None:
        return f"no epoch yet, {epochs(overview.snapshot, trial)}"
    done = f"epoch {epochs(overview.snapshot, trial)}"
    if trial.value is None:
        return f"the value of its last epoch; {done}"
    if study.folds:
        values = (
            f"fold {fold} {numbers.metric(each)}" for fold, each in record.fold_values.items()
        )
        return ", ".join(values)
    epoch = value_epoch(study, trial)
    which = "last" if study.value == "last" else "best"
    return f"of epoch {epoch.epoch}, the {which} one of {trial.last.epoch}" if epoch else done


def _at_rungs(record: TrialRecord) -> Iterator[str]:
    """Say how it stood among its kin at each rung that it reached."""
    if record.rungs:
        ranks = "; ".join(
            f"rank {row.rank} of {row.among} at epoch {row.epoch}" for row in record.rungs
        )
        kin = f" ({record.rungs[0].kin})" if record.rungs[0].kin else ""
        yield f"At its rungs{kin}: {ranks}."


def _standing(overview: Overview, trial: TrialRow, found: Sequence[Setting]) -> Iterator[str]:
    best, ranking = overview.snapshot.best, overview.snapshot.look.ranking
    if best is None:
        return
    finished = overview.snapshot.finished
    if best.number == trial.number:
        yield f"The best of {numbers.counted(finished, 'finished trial')}."
        return
    rank = next((at for at, row in enumerate(ranking, 1) if row.number == trial.number), None)
    place = f"Number {rank} of {numbers.counted(finished, 'finished trial')}. " if rank else ""
    tied = "It cannot be told from the best one. " if trial.number in overview.ties.tied else ""
    if place or tied:
        yield (place + tied).strip()
    names = differing(found)
    if trial.params and names:
        yield f"It differs from the best one, trial {best.number}, in {', '.join(names)}."
    elif trial.params:
        yield f"It has the same values as the best one, trial {best.number}."
