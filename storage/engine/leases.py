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
_BEAT = func.greatest(attempts.c.beat_at, func.pg_postmaster_start_time())
# The same as search_service.is_live, which a database before revision 0002 does not have.
LIVE: ColumnElement[bool] = and_(_OPEN, _BEAT + attempts.c.lease_seconds * _SECOND > _NOW)


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


def count_live(connection: Connection, study_id: int | None = None) -> int:
    """Count the trials that a worker holds now, in one study or in all."""
    held = select(func.count()).select_from(attempts).join(trials).where(LIVE)
    held = held.where(trials.c.state == TrialState.RUNNING)
    if study_id is not None:
        held = held.where(trials.c.study_id == study_id)
    return connection.scalars(held).one()
