"""Every write to a trial, through the statements of storage/engine/statements.py."""

import json
import math
from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution, distribution_to_json
from sqlalchemy import Connection, Row, TextClause

from storage.engine import statements
from storage.engine.drawing import digest
from storage.engine.leases import Claim, Nothing
from storage.engine.results import check_equal, plain_metrics
from storage.errors import AlreadyDrawn, LeaseLost, StorageError, unknown_study
from storage.optuna_inside import constraint_key
from storage.rows import Drawing, HandBackReason, Outcome, Stop, TrialEnd

DEADLY = (HandBackReason.KILLED, HandBackReason.STALLED, HandBackReason.CUDA_ERROR)
DEATHS = 3  # deadly ends in a row without a new epoch: the configuration is given up

NOTHING = {"wait": Nothing.WAIT, "done": Nothing.DONE, "stopped": Nothing.STOPPED}
GIVING_UP = {"deadly": list(DEADLY), "most": DEATHS}


def claim(
    connection: Connection, study: str, worker: str, *, lease_seconds: float
) -> Claim | Nothing:
    """Claim the next trial: one without a live lease, else a queued one, else a new one.

    Raises StorageError for a worker that never registered, or that knows other tables than these.
    """
    given = {"study": study, "worker": worker, "seconds": lease_seconds}
    row = connection.execute(statements.CLAIM, given).one()
    if row.outcome == "isolation":
        raise _wrong_isolation(connection)
    if row.outcome == "unknown study":
        raise unknown_study(study)
    if row.outcome == "unknown worker":
        raise StorageError(
            f"worker {worker!r} is not registered: it began before this study {study!r} was made,"
            " or its row was removed",
            "start it again",
        )
    if row.outcome == "other tables":
        raise StorageError(
            f"another version of search changed the tables after worker {worker!r} had opened them",
            "start it again, with the newer version",
        )
    if row.outcome != "claimed":
        return NOTHING[row.outcome]
    return Claim(
        study=study,
        trial_id=row.claimed_trial,
        number=row.claimed_number,
        attempt=row.new_attempt,
        worker=worker,
    )


def beat(
    connection: Connection, claim: Claim, readings: Mapping[str, Any] | None = None
) -> Stop | None:
    """Extend the lease and return the study's stop request; LeaseLost when the attempt is over.

    readings: the worker's, to be stored in the same statement; None leaves the stored ones.
    """
    if readings is None:
        row = _held(connection, claim, statements.BEAT)
    else:
        written = json.dumps(dict(readings), allow_nan=False)
        row = _held(connection, claim, statements.BEAT_WITH_READINGS, readings=written)
    stop: Stop | None = row.stop
    return stop


def draw(
    connection: Connection,
    claim: Claim,
    drawn: Mapping[str, tuple[float, BaseDistribution]],
    drawing: Drawing | None = None,
    *,
    is_new: bool = False,
) -> None:
    """Write the values of a trial, all or none, and extend the lease.

    Raises AlreadyDrawn where they must be new and another trial has them.

    drawn: name -> the value as Optuna stores it, and its distribution, in the order of drawing.
    drawing: how they were drawn; what an earlier attempt noted stays. None notes nothing.
    is_new: whether no other trial may have these values.
    """
    row = _held(
        connection,
        claim,
        statements.DRAW,
        names=list(drawn),
        params=[float(value) for value, _ in drawn.values()],
        distributions=[distribution_to_json(each) for _, each in drawn.values()],
        way=drawing.way if drawing else None,
        why=json.dumps(dict(drawing.why), allow_nan=False) if drawing and drawing.why else None,
        digest=digest(claim.study, drawn) if drawn else None,
        is_new=is_new,
    )
    if row.is_taken:
        raise AlreadyDrawn(
            f"another trial of study {claim.study!r} has the values drawn for trial {claim.number}",
            "draw again",
        )


def record(
    connection: Connection,
    claim: Claim,
    epoch: int,
    *,
    numbers: Mapping[str, Any],
    metrics: Mapping[str, float],
    is_deterministic: bool,
) -> Stop | None:
    """Write an epoch and extend the lease; one that is stored with these numbers stays as it is.

    Raises EpochDiffers when it is stored with other numbers.

    numbers: its value, seconds and images.
    is_deterministic: where it is not, other numbers replace those of an earlier attempt.
    """
    written = epoch_values(epoch, numbers, metrics)
    statement = statements.RECORD if is_deterministic else statements.RECORD_ANEW
    row = _held(connection, claim, statement, **written)
    if not row.is_new:
        this = {"trial": claim.trial_id, "epoch": epoch}
        stored = connection.execute(statements.STORED, this).one()
        check_equal(
            f"epoch {epoch} of trial {claim.number}",
            before=(stored.value, stored.metrics),
            now=(numbers["value"], plain_metrics(metrics)),
            is_same_attempt=stored.attempt == claim.attempt,
        )
    stop: Stop | None = row.stop
    return stop


def note_file(connection: Connection, claim: Claim, name: str, artifact_id: str) -> None:
    """Store the note of an attempt's file and extend the lease; an existing note is kept."""
    _held(connection, claim, statements.NOTE_FILE, name=name, artifact_id=artifact_id)


def tell(connection: Connection, claim: Claim, end: TrialEnd) -> None:
    """End the trial and its attempt; a second time, after a lost answer, changes nothing."""
    ended = connection.execute(statements.TELL, {**attempt_of(claim), **end_values(end)})
    if not ended.scalar_one():
        _check_ended(connection, claim, end.outcome, ends_trial=True)


def hand_back(
    connection: Connection, claim: Claim, reason: HandBackReason, detail: str | None = None
) -> None:
    """End the attempt and leave the trial running, or fail it after DEATHS deadly ends in a row."""
    given = {**attempt_of(claim), "reason": reason, "detail": detail}
    if not connection.execute(statements.HAND_BACK, {**given, **GIVING_UP}).scalar_one():
        _check_ended(connection, claim, reason, ends_trial=False)


def end_leases(connection: Connection, worker: str, reason: HandBackReason) -> int:
    """End every attempt of a worker as `hand_back` does, and return their number."""
    given = {"worker": worker, "reason": reason, "detail": None}
    ended: int = connection.execute(statements.END_LEASES, {**given, **GIVING_UP}).scalar_one()
    return ended


def lease_lost(claim: Claim) -> LeaseLost:
    """Build the error of an attempt that is over."""
    return LeaseLost(
        f"attempt {claim.attempt} of trial {claim.number} was ended by another worker, "
        "a supervisor or a person",
        "write nothing more and claim the next trial",
    )


def attempt_of(claim: Claim) -> dict[str, int | str]:
    """Return the values by which the statements know an attempt."""
    return {"trial": claim.trial_id, "attempt": claim.attempt, "worker": claim.worker}


def epoch_values(
    epoch: int, numbers: Mapping[str, Any], metrics: Mapping[str, float]
) -> dict[str, Any]:
    """Return the values of statements.RECORD, but for the attempt."""
    finite, kind = _stored_step(numbers["value"])
    return {
        "epoch": epoch,
        "value": float(numbers["value"]),
        "seconds": float(numbers["seconds"]),
        "images": int(numbers["images"]),
        "metrics": json.dumps(plain_metrics(metrics)),
        "finite": finite,
        "kind": kind,
    }


def end_values(end: TrialEnd) -> dict[str, Any]:
    """Return the values of statements.TELL, but for the attempt."""
    links = dict(end.links)
    if end.outcome == Outcome.OUT_OF_MEMORY:
        # A violated constraint, by which samplers learn the limit of memory.
        links[constraint_key("memory")] = 1.0
    return {
        "state": end.state,
        "value": end.value,
        "outcome": end.outcome,
        "detail": end.detail,
        "where": end.where,
        "last_epoch": end.last_epoch,
        "links": list(links),
        "link_values": [json.dumps(value) for value in links.values()],
        "shown": list(end.shown),
        "shown_values": [json.dumps(value) for value in end.shown.values()],
    }


def _wrong_isolation(connection: Connection) -> StorageError:
    """Build the error of a session that could give a trial's number twice; a role can set it so."""
    role, database, isolation = connection.execute(statements.SESSION).one()
    return StorageError(
        f"transactions of role {role} are {isolation!r} (default_transaction_isolation)",
        f"run `ALTER ROLE {role} IN DATABASE {database}"
        " SET default_transaction_isolation = 'read committed'`",
    )


def _held(connection: Connection, claim: Claim, step: TextClause, **values: Any) -> Row[Any]:
    row = connection.execute(step, {**attempt_of(claim), **values}).one_or_none()
    if row is None:
        raise lease_lost(claim)
    return row


def _check_ended(
    connection: Connection, claim: Claim, reason: Outcome | HandBackReason, *, ends_trial: bool
) -> None:
    """Raise LeaseLost unless the attempt has ended in this way, by a call whose answer was lost."""
    way = {**attempt_of(claim), "reason": reason, "ends_trial": ends_trial}
    if not connection.execute(statements.HAD_ENDED, way).all():
        raise lease_lost(claim)


def _stored_step(value: float) -> tuple[float | None, str]:
    """Return the number and the kind under which Optuna stores an intermediate value."""
    if math.isnan(value):
        return None, "NAN"
    if math.isinf(value):
        return None, "INF_POS" if value > 0 else "INF_NEG"
    return value, "FINITE"
