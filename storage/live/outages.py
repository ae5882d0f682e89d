"""The times in which workers trained on without the database."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from storage.rows import StudyRow

# A worker that is not stored, as after a restored backup, has no outage either.
NOTE = text("""INSERT INTO search_service.outages
       (worker_id, outage, study_id, began_at, ended_at, epochs)
SELECT worker_id, :outage, study_id, clock_timestamp() - :seconds * interval '1 second',
       clock_timestamp(), :epochs
  FROM search_service.workers WHERE worker_id = :worker
    ON CONFLICT DO NOTHING""")

NEWEST = text("""SELECT worker_id AS worker, began_at, ended_at, epochs
  FROM search_service.outages WHERE study_id = :study
 ORDER BY ended_at DESC, worker_id, outage DESC LIMIT :most""")


@dataclass(frozen=True, kw_only=True)
class NewOutage:
    """An outage to be stored, at its end.

    outage: counts 1, 2, 3 within the worker; one that is stored already stays as it is.
    seconds: how long ago it began.
    epochs: how many epochs waited for its end.
    """

    worker: str
    outage: int
    seconds: float
    epochs: int


@dataclass(frozen=True, kw_only=True)
class OutageRow:
    """One time in which a worker trained on without the database.

    epochs: how many of its epochs waited for the end.
    """

    worker: str
    began_at: datetime
    ended_at: datetime
    epochs: int


def note(connection: Connection, outage: NewOutage) -> None:
    """Store an outage that is over, by the database's clock; a second time changes nothing."""
    connection.execute(NOTE, vars(outage))


def newest(connection: Connection, study: StudyRow, most: int) -> list[OutageRow]:
    """Read the newest outages of a study's workers, the latest end first."""
    rows = connection.execute(NEWEST, {"study": study.study_id, "most": most})
    return [OutageRow(**row) for row in rows.mappings()]
