"""The registered worker processes."""

import time

from sqlalchemy import Connection, func, text, update
from sqlalchemy.dialects.postgresql import insert

from storage.rows import NewWorker, StudyRow, WorkerRow
from storage.tables import workers

# A worker's attempts since its latest claim say what it does now; however many it made before.
WORKERS = """SELECT w.worker_id AS worker, w.host, w.pid, w.device, w.threads, w.machine,
       w.started_at, greatest(w.seen_at, h.beat_at) AS seen_at, w.ended_at, w.exit_code, w.reason,
       w.readings, h.trial, CAST(extract(epoch FROM now() - greatest(w.seen_at, h.beat_at))
                     AS double precision) AS silent_seconds,
       coalesce(h.is_overdue, false) AS is_overdue
  FROM ({these}) w
 CROSS JOIN LATERAL (
       SELECT max(a.beat_at) AS beat_at,
              max(CASE WHEN search_service.is_live(a) THEN (
                  SELECT t.number FROM trials t
                   WHERE t.trial_id = a.trial_id AND t.state = 'RUNNING') END) AS trial,
              bool_or(CASE WHEN a.ended_at IS NULL THEN NOT search_service.is_live(a)
                      ELSE a.reason = 'lost' END) AS is_overdue
         FROM search_service.attempts a
        WHERE a.worker_id = w.worker_id AND a.started_at >= w.seen_at) h
 ORDER BY {order}"""
OF_STUDY = "SELECT * FROM search_service.workers WHERE study_id = :study"
OLDEST_FIRST = "w.started_at, w.worker_id"
ALL = text(WORKERS.format(these=OF_STUDY, order=OLDEST_FIRST))
AT_WORK = text(WORKERS.format(these=f"{OF_STUDY} AND ended_at IS NULL", order=OLDEST_FIRST))
ENDED = f"{OF_STUDY} AND ended_at IS NOT NULL ORDER BY ended_at DESC, worker_id LIMIT :most"
NEWEST_ENDS = text(WORKERS.format(these=ENDED, order="w.ended_at DESC, w.worker_id"))

STUDIES_AT_WORK = text(
    "SELECT DISTINCT study_name FROM search_service.workers JOIN studies USING (study_id)"
    " WHERE ended_at IS NULL"
)

CLOCK = text("SELECT CAST(extract(epoch FROM clock_timestamp()) AS double precision)")


def register(connection: Connection, study: StudyRow, worker: NewWorker, revision: str) -> None:
    """Store a worker of the study; a worker of this name that is stored already is replaced.

    Its machine gets the difference between its clock and the database's.

    revision: the newest migration that this search knows.
    """
    row = {"worker_id": worker.name, "study_id": study.study_id, "host": worker.host}
    row |= {"pid": worker.pid, "device": worker.device, "threads": worker.threads}
    machine = {**worker.machine, "clock_ahead_seconds": _clock_ahead_seconds(connection)}
    row |= {"machine": machine, "revision": revision}
    writing = insert(workers).values(row)
    connection.execute(writing.on_conflict_do_update(index_elements=["worker_id"], set_=row))


def _clock_ahead_seconds(connection: Connection) -> float:
    """Return this machine's clock minus the database's, to about half a round trip."""
    before = time.time()
    theirs: float = connection.execute(CLOCK).scalar_one()
    return round((before + time.time()) / 2 - theirs, 3)


def end(connection: Connection, worker: str, exit_code: int | None, reason: str) -> bool:
    """Store how a worker ended; False for one that was never registered."""
    columns = {"ended_at": func.now(), "exit_code": exit_code, "reason": reason}
    ending = update(workers).where(workers.c.worker_id == worker).values(columns)
    return connection.execute(ending).rowcount > 0


def every(connection: Connection, study: StudyRow, *, at_work: bool = False) -> list[WorkerRow]:
    """Read the workers of a study, oldest first, each with the trial it holds.

    at_work: only those whose end is not recorded.
    """
    rows = connection.execute(AT_WORK if at_work else ALL, {"study": study.study_id})
    return [WorkerRow(**row) for row in rows.mappings()]


def studies_at_work(connection: Connection) -> set[str]:
    """Read the names of the studies with a worker whose end is not recorded."""
    return set(connection.scalars(STUDIES_AT_WORK))


def recent(connection: Connection, study: StudyRow, most: int) -> list[WorkerRow]:
    """Read the workers whose ends were recorded last, the latest end first."""
    rows = connection.execute(NEWEST_ENDS, {"study": study.study_id, "most": most})
    return [WorkerRow(**row) for row in rows.mappings()]
