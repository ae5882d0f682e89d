"""Leases: the right of one worker to write a trial, its end, and its fencing token.

A lease is an attempt that has not ended; its number, counting 1, 2, 3 within the trial, is the
token. The database's clock alone counts, not a machine's. An outage of the database makes no
worker look dead: a lease counts from the server's start at the earliest.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from optuna.storages import RDBStorage
from optuna.trial import TrialState
from sqlalchemy import ColumnElement, Connection, and_, func, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.errors import LeaseLost
from storage.rows import HandBackReason, Outcome, Stop, StudyRow
from storage.tables import attempts, epochs, studies, trials, workers

DEADLY = (HandBackReason.KILLED, HandBackReason.STALLED, HandBackReason.CUDA_ERROR)

_NOW = func.clock_timestamp()
_OPEN = attempts.c.ended_at.is_(None)
_SECOND: ColumnElement[timedelta] = literal_column("interval '1 second'")
_BEAT = func.greatest(attempts.c.beat_at, func.pg_postmaster_start_time())
LIVE: ColumnElement[bool] = and_(_OPEN, _BEAT + attempts.c.lease_seconds * _SECOND > _NOW)
# The worker has not claimed since this attempt began, so it is still at it.
_IS_LATEST = attempts.c.started_at >= workers.c.seen_at
OVERDUE: ColumnElement[bool] = and_(
    _IS_LATEST, or_(and_(_OPEN, ~LIVE), attempts.c.reason == HandBackReason.LOST)
)


class Nothing(Enum):
    """The reason why there was no trial to claim."""

    WAIT = "others hold the last trials"
    DONE = "the budget is reached and every trial is final"
    STOPPED = "a stop was requested"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A trial that one worker holds until its lease ends.

    number: the trial's number in its study, from 0.
    attempt: the fencing token.
    """

    study: str
    trial_id: int
    number: int
    attempt: int
    worker: str


def claim(
    connection: Connection,
    backend: RDBStorage,
    study: StudyRow,
    worker: str,
    *,
    lease_seconds: float,
) -> Claim | Nothing:
    """Claim the next trial: one without a live lease, else a queued one, else a new one.

    The caller holds the study's advisory lock and has joined `backend` to the connection.
    """
    trial_id = _free_trial(connection, study.study_id, worker)
    if trial_id is None:
        started = _start_trial(connection, backend, study)
        if isinstance(started, Nothing):
            return started
        trial_id = started
    attempt = _begin_attempt(connection, trial_id, worker, lease_seconds)
    if attempt is None:  # its holder renewed the lease in this very moment
        return Nothing.WAIT
    number = connection.scalars(select(trials.c.number).where(trials.c.trial_id == trial_id)).one()
    return Claim(study=study.name, trial_id=trial_id, number=number, attempt=attempt, worker=worker)


def renew(connection: Connection, claim: Claim) -> Stop | None:
    """Extend the lease and return the study's stop request; LeaseLost when the attempt is over.

    The attempt's row stays locked until the transaction ends, so that no other worker can take the
    trial meanwhile.
    """
    renewed = connection.scalars(
        update(attempts)
        .where(_of_claim(claim), _OPEN)
        .where(trials.c.trial_id == attempts.c.trial_id, trials.c.state == TrialState.RUNNING)
        .where(studies.c.study_id == trials.c.study_id)
        .values(beat_at=_NOW)
        .returning(studies.c.stop)
    ).all()
    if not renewed:
        raise lease_lost(claim)
    stop: Stop | None = renewed[0]
    return stop


def close(
    connection: Connection,
    claim: Claim,
    reason: Outcome | HandBackReason,
    detail: str | None = None,
    *,
    ends_trial: bool,
    where: str | None = None,
) -> bool:
    """End the attempt; return False when it had ended this way before.

    The second call comes when the acknowledgement of the first was lost. Raises LeaseLost when the
    attempt ended in another way.

    ends_trial: whether the trial ends with the attempt.
    where: the type, file and line of the exception that ended it.
    """
    ending = update(attempts).where(_of_claim(claim), _OPEN)
    end = {"ended_at": _NOW, "reason": reason, "detail": detail, "where": where}
    ending = ending.values({**end, "ends_trial": ends_trial})
    if connection.execute(ending).rowcount:
        return True
    same = (attempts.c.reason == reason, attempts.c.ends_trial == ends_trial)
    if not connection.scalar(select(attempts.c.attempt).where(_of_claim(claim), *same)):
        raise lease_lost(claim)
    return False


def close_all(connection: Connection, worker: str, reason: HandBackReason) -> list[int]:
    """End every attempt of a worker and return the ids of the trials that it held.

    For a stalled worker, an attempt that another worker took over counts as stalled, not as lost.
    """
    if reason == HandBackReason.STALLED:
        hung = update(attempts).where(attempts.c.worker_id == worker)
        hung = hung.where(attempts.c.reason == HandBackReason.LOST)
        hung = hung.where(workers.c.worker_id == worker, _IS_LATEST)
        connection.execute(hung.values(reason=HandBackReason.STALLED))
    ending = update(attempts).where(attempts.c.worker_id == worker, _OPEN)
    ending = ending.values(ended_at=_NOW, reason=reason)
    return list(connection.scalars(ending.returning(attempts.c.trial_id)))


def deaths(connection: Connection, trial_id: int) -> list[HandBackReason]:
    """Read how the trial's attempts died since its last recorded epoch, oldest first."""
    of_trial = attempts.c.trial_id == trial_id
    newest_recorder = select(func.max(epochs.c.attempt)).where(epochs.c.trial_id == trial_id)
    since = func.coalesce(newest_recorder.scalar_subquery(), 0)
    ends = select(attempts.c.reason).where(of_trial, attempts.c.reason.in_(DEADLY))
    found = connection.scalars(ends.where(attempts.c.attempt > since).order_by("attempt"))
    return [HandBackReason(reason) for reason in found]


def end_trial(connection: Connection, trial_id: int, reason: Outcome, detail: str) -> None:
    """Turn the end of the newest attempt into the trial's; its own detail follows `detail`."""
    newest = select(func.max(attempts.c.attempt)).where(attempts.c.trial_id == trial_id)
    this = and_(attempts.c.trial_id == trial_id, attempts.c.attempt == newest.scalar_subquery())
    whole = func.concat_ws("; ", detail, attempts.c.detail)
    connection.execute(
        update(attempts).where(this).values(ends_trial=True, reason=reason, detail=whole)
    )


def count_live(connection: Connection, study_id: int | None = None) -> int:
    """Count the trials that a worker holds now, in one study or in all."""
    held = select(func.count()).select_from(attempts).join(trials).where(LIVE)
    held = held.where(trials.c.state == TrialState.RUNNING)
    if study_id is not None:
        held = held.where(trials.c.study_id == study_id)
    return connection.scalars(held).one()


def lease_lost(claim: Claim) -> LeaseLost:
    """Build the error of an attempt that is over."""
    return LeaseLost(
        f"attempt {claim.attempt} of trial {claim.number} was ended by another worker, "
        "a supervisor or a person",
        "write nothing more and claim the next trial",
    )


def _of_claim(claim: Claim) -> ColumnElement[bool]:
    return and_(attempts.c.trial_id == claim.trial_id, attempts.c.attempt == claim.attempt)


def _held_by_another(worker: str) -> ColumnElement[bool]:
    # A worker runs one trial at a time. If it holds one when it claims, the acknowledgement of its
    # last claim was lost, and it gets that trial again.
    return and_(LIVE, attempts.c.worker_id != worker)


def _free_trial(connection: Connection, study_id: int, worker: str) -> int | None:
    held = select(attempts).where(
        attempts.c.trial_id == trials.c.trial_id, _held_by_another(worker)
    )
    return connection.scalar(
        select(trials.c.trial_id)
        .where(trials.c.study_id == study_id, trials.c.state == TrialState.RUNNING)
        .where(~held.exists())
        .order_by(trials.c.number)
        .limit(1)
    )


def _start_trial(connection: Connection, backend: RDBStorage, study: StudyRow) -> int | Nothing:
    of_study = trials.c.study_id == study.study_id
    states = select(trials.c.state, func.count()).where(of_study).group_by(trials.c.state)
    count: dict[TrialState, int] = dict(iter(connection.execute(states)))
    waiting = count.pop(TrialState.WAITING, 0)
    if study.trials is not None and sum(count.values()) >= study.trials:
        return Nothing.WAIT if TrialState.RUNNING in count else Nothing.DONE
    if not waiting:
        return backend.create_new_trial(study.study_id)
    first = select(trials.c.trial_id).where(of_study, trials.c.state == TrialState.WAITING)
    # Locked: a dashboard may fail a queued trial at any moment.
    queued = connection.scalar(first.order_by(trials.c.number).limit(1).with_for_update())
    if queued is None:
        return Nothing.WAIT
    backend.set_trial_state_values(queued, TrialState.RUNNING)
    return int(queued)


def _begin_attempt(
    connection: Connection, trial_id: int, worker: str, seconds: float
) -> int | None:
    of_trial = attempts.c.trial_id == trial_id
    connection.execute(
        update(attempts)
        .where(of_trial, _OPEN, ~_held_by_another(worker))
        # The attempt ended at its last beat, as far as is known.
        .values(ended_at=attempts.c.beat_at, reason=HandBackReason.LOST)
    )
    count = select(func.coalesce(func.max(attempts.c.attempt), 0) + 1).where(of_trial)
    taking = insert(attempts).values(
        trial_id=trial_id,
        attempt=count.scalar_subquery(),
        worker_id=worker,
        lease_seconds=seconds,
    )
    # The unique index of open attempts decides who holds a trial.
    taken = connection.scalars(taking.on_conflict_do_nothing().returning(attempts.c.attempt))
    return taken.one_or_none()
