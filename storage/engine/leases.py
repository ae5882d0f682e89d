"""Leases: the right of one worker to write a trial, its end, and its fencing token.

A lease is an attempt that has not ended; its number, counting 1, 2, 3 within the trial, is the
token. The database's clock alone counts, not a machine's. An outage of the database makes no
worker look dead: a lease counts from the server's start at the earliest.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from optuna.trial import TrialState
from sqlalchemy import ColumnElement, Connection, and_, func, literal_column, select

from storage.tables import attempts, trials

_NOW = func.clock_timestamp()
_OPEN = attempts.c.ended_at.is_(None)
_SECOND: ColumnElement[timedelta] = literal_column("interval '1 second'")
_LENGTH = attempts.c.lease_seconds * _SECOND
_BEAT = func.greatest(attempts.c.beat_at, func.pg_postmaster_start_time())
# The same as search_service.is_live, which a database before revision 0002 does not have.
LIVE: ColumnElement[bool] = and_(_OPEN, _BEAT + _LENGTH > _NOW)
_BEATING: ColumnElement[bool] = and_(_OPEN, attempts.c.beat_at + _LENGTH > _NOW)
_HELD = (
    select(func.count())
    .select_from(attempts)
    .join(trials)
    .where(trials.c.state == TrialState.RUNNING)
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


def count_live(connection: Connection, study_id: int) -> int:
    """Count the trials of a study that a worker holds now."""
    return connection.scalars(_HELD.where(LIVE, trials.c.study_id == study_id)).one()


def count_beating(connection: Connection) -> int:
    """Count the trials of all studies whose workers beat during the length of their lease.

    An embedded server starts with each command, and with it the leases of workers that died with
    the machine: they would be live for as long as anybody looks.
    """
    return connection.scalars(_HELD.where(_BEATING)).one()
