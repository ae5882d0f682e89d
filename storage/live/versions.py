"""Every study with a text that changes when it does, so that a list reads only what has changed."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from storage.engine.identity import IDENTITY

# Of a worker without a trial; one that has been silent for longer is not at work (SILENCE_SECONDS
# in dashboards/analysis/snapshot.py is shorter).
SILENT = "interval '5 minutes'"

# One statement for all studies, in each of which an index finds what is asked for.
VERSIONS = text(f"""SELECT s.study_name AS name, o.created_at,
       EXISTS (SELECT FROM trials t
                 JOIN search_service.attempts a ON a.trial_id = t.trial_id AND a.ended_at IS NULL
                WHERE t.study_id = s.study_id AND t.state = 'RUNNING' AND search_service.is_live(a))
       OR EXISTS (SELECT FROM search_service.workers w
                   WHERE w.study_id = s.study_id AND w.ended_at IS NULL
                     AND w.seen_at > now() - {SILENT}) AS is_active,
       concat_ws(' ', {IDENTITY}, o.xmin,
           (SELECT max(number) FROM trials WHERE study_id = s.study_id),
           (SELECT count(*) FROM trials WHERE study_id = s.study_id AND state = 'RUNNING'),
           (SELECT count(*) FROM trials WHERE study_id = s.study_id AND state = 'WAITING'),
           (SELECT concat_ws(' ', count(*), count(ended_at)) FROM search_service.workers
             WHERE study_id = s.study_id),
           (SELECT count(*) FROM search_service.test_uses WHERE study_id = s.study_id)) AS version
  FROM search_service.studies o JOIN studies s ON s.study_id = o.study_id
 ORDER BY s.study_id""")


@dataclass(frozen=True, kw_only=True)
class StudyVersion:
    """A study as a list knows it.

    is_active: whether a trial or a worker is at work, so that it changes all the time.
    version: another text once a trial, a worker or the study itself is another one.
    """

    name: str
    created_at: datetime
    is_active: bool
    version: str


def every(connection: Connection) -> list[StudyVersion]:
    """Read the versions of every study, oldest first."""
    return [StudyVersion(**row) for row in connection.execute(VERSIONS).mappings()]
