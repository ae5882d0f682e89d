"""Trials, their epochs and attempts, read in a few statements however many there are."""

from collections.abc import Collection, Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from optuna.trial import TrialState
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, func, or_, select, true

from storage.engine.frozen import read_distribution
from storage.engine.leases import LIVE
from storage.engine.results import decoded
from storage.optuna_inside import stored_value
from storage.rows import AttemptRow, EpochRow, HandBackReason, Outcome, StudyRow, TrialRow
from storage.tables import attempts, epochs, params, trials, values, workers

_SAME_TRIAL = trials.c.trial_id == epochs.c.trial_id
_FINAL = trials.c.state.in_([state for state in TrialState if state.is_finished()])
# A trial that a person failed in the dashboard is over before its worker notices.
_ENDED_AT = func.coalesce(
    attempts.c.ended_at, case((_FINAL, func.timezone("UTC", trials.c.datetime_complete)))
)
_REASON = func.coalesce(attempts.c.reason, case((_FINAL, Outcome.ENDED_ELSEWHERE.value)))
_OUTCOME = case((attempts.c.ends_trial, attempts.c.reason), else_=Outcome.ENDED_ELSEWHERE.value)
# The attempt at such a trial ends later, when its worker notices.
_TRIAL_ENDED_AT = case(
    (attempts.c.ends_trial, attempts.c.ended_at),
    else_=func.timezone("UTC", trials.c.datetime_complete),
)


def every(
    connection: Connection, study: StudyRow, known: Mapping[int, TrialRow] = MappingProxyType({})
) -> list[TrialRow]:
    """Read every trial of a study, in the order of their numbers, in four statements.

    known: ended trials by number, as they were read before. They never change again, so that only
    the others are read.
    """
    these = _in_study(study.study_id, *_unknown(known))
    # First, for one that ended meanwhile would count as ended without its last epoch, for ever.
    rows = connection.execute(_trials(these)).all()
    drawn = _params(connection, these)
    last = _one_epoch_per_trial(connection, these, epochs.c.epoch.desc())
    best = _one_epoch_per_trial(connection, these, *_best_first(study.direction))
    read = [
        TrialRow(
            number=row.number,
            trial_id=row.trial_id,
            state=row.state.name,
            outcome=Outcome(row.outcome) if row.outcome else None,
            detail=row.detail,
            where=row.where,
            value=_value(row),
            params=drawn.get(row.trial_id, {}),
            attempts=row.attempt or 0,
            worker=row.worker_id,
            is_leased=bool(row.is_leased),
            started_at=row.started_at,
            ended_at=row.ended_at,
            last=last.get(row.trial_id),
            best=best.get(row.trial_id),
        )
        for row in rows
    ]
    return sorted([*known.values(), *read], key=attrgetter("number"))


def epochs_of(connection: Connection, study: StudyRow, number: int | None) -> list[EpochRow]:
    """Read the recorded epochs of one trial, or of all, in order."""
    rows = select(epochs, trials.c.number).join_from(epochs, trials, _SAME_TRIAL)
    rows = rows.where(*_in_study(study.study_id, *_numbered(number))).order_by(
        trials.c.number, epochs.c.epoch
    )
    return [_epoch_row(row) for row in connection.execute(rows)]


def attempts_of(connection: Connection, study: StudyRow, number: int | None) -> list[AttemptRow]:
    """Read the attempts at one trial, or at all, in order: the ledger of worker time."""
    recorded = (
        select(func.count())
        .select_from(epochs)
        .where(epochs.c.trial_id == attempts.c.trial_id, epochs.c.attempt == attempts.c.attempt)
    )
    columns = [
        trials.c.number,
        trials.c.trial_id,
        attempts.c.attempt,
        attempts.c.worker_id.label("worker"),
        workers.c.host,
        workers.c.device,
        workers.c.threads,
        workers.c.machine,
        attempts.c.started_at,
        _ENDED_AT.label("ended_at"),
        _REASON.label("reason"),
        attempts.c.detail,
        recorded.scalar_subquery().label("epochs"),
    ]
    rows = (
        select(*columns)
        .join_from(attempts, trials)
        .join(workers)
        .where(*_in_study(study.study_id, *_numbered(number)))
        .order_by(trials.c.number, attempts.c.attempt)
    )
    return [
        AttemptRow(**{**row, "reason": _reason(row["reason"])})
        for row in connection.execute(rows).mappings()
    ]


def _in_study(study_id: int, *conditions: ColumnElement[bool]) -> list[ColumnElement[bool]]:
    return [trials.c.study_id == study_id, *conditions]


def _numbered(number: int | None) -> list[ColumnElement[bool]]:
    return [] if number is None else [trials.c.number == number]


def _unknown(known: Collection[int]) -> list[ColumnElement[bool]]:
    """Select the trials after the known ones, and those between them."""
    if not known:
        return []
    newest = max(known)
    between = [number for number in range(newest) if number not in known]
    return [or_(trials.c.number > newest, trials.c.number.in_(between))]


def _trials(these: list[ColumnElement[bool]]) -> Select[Any]:
    every = attempts.alias()
    of_trial = every.c.trial_id == trials.c.trial_id
    newest = select(func.max(every.c.attempt)).where(of_trial).scalar_subquery()
    begun = select(func.min(every.c.started_at)).where(of_trial).scalar_subquery()
    columns = [
        trials.c.trial_id,
        trials.c.number,
        trials.c.state,
        values.c.value,
        values.c.value_type,
        attempts.c.attempt,
        attempts.c.worker_id,
        attempts.c.detail,
        attempts.c.where,
        case((_FINAL, _OUTCOME)).label("outcome"),
        and_(LIVE, ~_FINAL).label("is_leased"),
        func.coalesce(begun, func.timezone("UTC", trials.c.datetime_start)).label("started_at"),
        case((_FINAL, _TRIAL_ENDED_AT)).label("ended_at"),
    ]
    return (
        select(*columns)
        .outerjoin_from(
            trials, values, and_(values.c.trial_id == trials.c.trial_id, values.c.objective == 0)
        )
        .outerjoin(
            attempts,
            and_(attempts.c.trial_id == trials.c.trial_id, attempts.c.attempt == newest),
        )
        .where(*these)
        .order_by(trials.c.number)
    )


def _reason(stored: str | None) -> Outcome | HandBackReason | None:
    if stored is None:
        return None
    return HandBackReason(stored) if stored in list(HandBackReason) else Outcome(stored)


def _value(row: Row[Any]) -> float | None:
    if row.state != TrialState.COMPLETE:
        return None
    return stored_value(row.value, row.value_type)


def _params(connection: Connection, these: list[ColumnElement[bool]]) -> dict[int, dict[str, Any]]:
    rows = select(params).join(trials).where(*these).order_by(params.c.param_id)
    drawn: dict[int, dict[str, Any]] = {}
    for row in connection.execute(rows):
        value = read_distribution(row.distribution_json).to_external_repr(row.param_value)
        drawn.setdefault(row.trial_id, {})[row.param_name] = value
    return drawn


def _one_epoch_per_trial(
    connection: Connection, these: list[ColumnElement[bool]], *order: ColumnElement[Any]
) -> dict[int, EpochRow]:
    first = select(epochs).where(_SAME_TRIAL).order_by(*order).limit(1).lateral()
    rows = select(first, trials.c.number).join_from(trials, first, true()).where(*these)
    return {row.trial_id: _epoch_row(row) for row in connection.execute(rows)}


def _best_first(direction: str) -> list[ColumnElement[Any]]:
    ranked = epochs.c.value.asc() if direction == "minimize" else epochs.c.value.desc()
    return [epochs.c.value == float("nan"), ranked, epochs.c.epoch]


def _epoch_row(row: Row[Any]) -> EpochRow:
    return EpochRow(
        number=row.number,
        epoch=row.epoch,
        attempt=row.attempt,
        value=row.value,
        metrics=decoded(row.metrics),
        seconds=row.seconds,
        images=row.images,
        recorded_at=row.recorded_at,
    )
