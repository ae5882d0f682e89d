"""The registered worker processes."""

from typing import Any

from optuna.trial import TrialState
from sqlalchemy import Connection, Double, cast, false, func, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.engine.leases import LIVE, OVERDUE
from storage.errors import StorageError
from storage.rows import NewWorker, StudyRow, WorkerRow
from storage.tables import attempts, trials, workers

# The columns that a WorkerRow has as they are stored.
PLAIN = (
    "host",
    "pid",
    "device",
    "threads",
    "machine",
    "started_at",
    "ended_at",
    "exit_code",
    "reason",
)


def register(connection: Connection, study: StudyRow, worker: NewWorker, revision: str) -> None:
    """Store a worker of the study; a worker of this name that is stored already is replaced.

    revision: the newest migration that this search knows.
    """
    row = {"worker_id": worker.name, "study_id": study.study_id, "host": worker.host}
    row |= {"pid": worker.pid, "device": worker.device, "threads": worker.threads}
    row |= {"machine": worker.machine, "revision": revision}
    writing = insert(workers).values(row)
    connection.execute(writing.on_conflict_do_update(index_elements=["worker_id"], set_=row))


def end(connection: Connection, worker: str, exit_code: int | None, reason: str) -> None:
    """Store how a worker ended."""
    _change(connection, worker, ended_at=func.now(), exit_code=exit_code, reason=reason)


def every(connection: Connection, study: StudyRow) -> list[WorkerRow]:
    """Read the workers of a study, oldest first, each with the trial it holds."""
    seen_at = func.greatest(workers.c.seen_at, func.max(attempts.c.beat_at))
    is_at_it = trials.c.state == TrialState.RUNNING
    columns = [
        workers.c.worker_id.label("worker"),
        *(workers.c[name] for name in PLAIN),
        seen_at.label("seen_at"),
        func.max(trials.c.number).filter(LIVE, is_at_it).label("trial"),
        cast(func.extract("epoch", func.now() - seen_at), Double).label("silent_seconds"),
        func.coalesce(func.bool_or(OVERDUE), false()).label("is_overdue"),
    ]
    rows = (
        select(*columns)
        .outerjoin_from(workers, attempts)
        .outerjoin(trials)
        .where(workers.c.study_id == study.study_id)
        .group_by(workers.c.worker_id)
        .order_by(workers.c.started_at, workers.c.worker_id)
    )
    return [WorkerRow(**row) for row in connection.execute(rows).mappings()]


def _change(connection: Connection, worker: str, **columns: Any) -> None:
    changing = update(workers).where(workers.c.worker_id == worker).values(columns)
    if not connection.execute(changing).rowcount:
        raise StorageError(f"worker {worker!r} is not registered", "call register_worker first")
