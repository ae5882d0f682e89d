"""The machines that a study's workers ran on, and the share of the work that each has done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from storage.rows import StudyRow

COUNT = text("""SELECT count(DISTINCT (host, machine ->> 'process_scope'))
  FROM search_service.workers WHERE study_id = :study""")

# A scope is a host's boot and its namespace of processes: two containers may share a host's name.
# The time of an attempt is as in search_service.trial_time, the lost one included.
MACHINES = text("""WITH spent AS (
    SELECT a.worker_id, max(a.beat_at) AS beat_at, bool_or(search_service.is_live(a)) AS is_leased,
           count(*) FILTER (WHERE t.state NOT IN ('RUNNING', 'WAITING')
                            AND a.attempt = (SELECT max(newest.attempt)
                                               FROM search_service.attempts newest
                                              WHERE newest.trial_id = a.trial_id)) AS trials,
           sum((SELECT count(*) FROM search_service.epochs e
                 WHERE e.trial_id = a.trial_id AND e.attempt = a.attempt)) AS epochs,
           sum(extract(epoch FROM coalesce(a.ended_at, CASE WHEN t.state = 'RUNNING'
               AND search_service.is_live(a) THEN clock_timestamp() ELSE a.beat_at END)
               - a.started_at)::float8) AS seconds
      FROM search_service.attempts a
      JOIN trials t ON t.trial_id = a.trial_id
     WHERE t.study_id = :study
     GROUP BY a.worker_id
), known AS (
    SELECT w.*, w.machine ->> 'process_scope' AS scope,
           greatest(w.seen_at, s.beat_at) AS last_seen_at, s.trials, s.epochs,
           s.seconds, coalesce(s.is_leased, false) AS is_leased
      FROM search_service.workers w LEFT JOIN spent s ON s.worker_id = w.worker_id
     WHERE w.study_id = :study
)
SELECT host, coalesce(scope, '') AS scope, count(*) AS workers,
       count(*) FILTER (WHERE ended_at IS NULL AND (is_leased OR last_seen_at
                        > clock_timestamp() - :silent * interval '1 second')) AS at_work,
       array_agg(DISTINCT ARRAY[coalesce(machine ->> 'device_class', device),
                                coalesce(machine ->> 'gpu', '')]) AS devices,
       (array_agg(machine ORDER BY started_at DESC, worker_id))[1] AS machine,
       min(started_at) AS first_seen_at, max(last_seen_at) AS last_seen_at,
       extract(epoch FROM clock_timestamp() - max(last_seen_at))::float8 AS silent_seconds,
       coalesce(sum(trials), 0)::integer AS trials, coalesce(sum(epochs), 0)::integer AS epochs,
       coalesce(sum(seconds), 0)::float8 AS seconds
  FROM known GROUP BY host, scope ORDER BY first_seen_at, host, scope""")


@dataclass(frozen=True, kw_only=True)
class MachineRow:
    """The workers of one study in one scope of processes of one host.

    workers, at_work: how many registered, restarts included, and how many work now.
    devices: kind and CUDA_VISIBLE_DEVICES of each device that one of them had.
    machine: of the newest worker, see `NewWorker`.
    silent_seconds: the time since `last_seen_at`, by the database's clock.
    trials: that ended here.
    epochs: recorded here first, without those that were replaced.
    seconds: of their attempts.
    """

    host: str
    scope: str
    workers: int
    at_work: int
    devices: Sequence[Sequence[str]]
    machine: Mapping[str, Any]
    first_seen_at: datetime
    last_seen_at: datetime
    silent_seconds: float
    trials: int
    epochs: int
    seconds: float


def every(
    connection: Connection, study: StudyRow, silent_seconds: float, at_least: int = 1
) -> list[MachineRow]:
    """Read the machines of a study, in the order in which they joined.

    silent_seconds: after which a worker without a trial counts as gone.
    at_least: where there are fewer, none is read.
    """
    given = {"study": study.study_id, "silent": silent_seconds}
    if at_least > 1 and connection.execute(COUNT, given).scalar_one() < at_least:
        return []
    return [MachineRow(**row) for row in connection.execute(MACHINES, given).mappings()]
