"""The wait of a worker while others hold a study's last trials: it listens and asks nothing.

Whatever may give such a worker a trial, or end its wait, wakes it by a NOTIFY: a trial handed back
or freed, one of the last trials ended, a stop request, a changed budget. No NOTIFY comes from other
programs, from a lease that expires, or through PgBouncer. So a wait ends when the first lease of
the study expires, or after the seconds that the caller allows; then the caller claims again.
"""

import random
from selectors import EVENT_READ, DefaultSelector
from typing import Any, Protocol

from sqlalchemy import Connection, text

WAKE = text("SELECT search_service.wake(:study)")

STUDY = text("SELECT study_id FROM studies WHERE study_name = :study")

# The seconds until the first running trial is free, as far as is known; 0 where none runs.
FREE_IN = text("""SELECT coalesce(min(CASE WHEN a.trial_id IS NULL THEN 0 ELSE
       extract(epoch FROM greatest(a.beat_at, pg_postmaster_start_time())
                          + a.lease_seconds * interval '1 second' - clock_timestamp()) END), 0)
  FROM trials t LEFT JOIN search_service.attempts a
       ON a.trial_id = t.trial_id AND a.ended_at IS NULL
 WHERE t.study_id = :study AND t.state = 'RUNNING'""")

SPREAD_SECONDS = 0.5  # within which the waiting workers claim a trial whose lease has expired


class HasFile(Protocol):
    """An object with an open file, such as a socket."""

    def fileno(self) -> int:
        """Return the number of the file."""


def wait(connection: Connection, study: str, seconds: float, interrupt: HasFile) -> None:
    """Return when a claim may have another answer than before, after `seconds` at the latest.

    connection: of single statements.
    interrupt: ends the wait as soon as there is something to read from its file.
    """
    study_id = connection.execute(STUDY, {"study": study}).scalar()
    if study_id is None:
        return
    channel = f"search_study_{study_id}"
    connection.exec_driver_sql(f"LISTEN {channel}")
    free_in = float(connection.execute(FREE_IN, {"study": study_id}).scalar_one())
    driver: Any = connection.connection.driver_connection
    if not driver.notifies:
        longest = max(free_in, 0) + random.uniform(0, SPREAD_SECONDS)
        _until_readable(min(seconds, longest), driver, interrupt)
    # A connection that was lost meanwhile is readable as well, and fails here.
    connection.exec_driver_sql(f"UNLISTEN {channel}")
    driver.notifies.clear()


def _until_readable(seconds: float, *files: HasFile) -> None:
    with DefaultSelector() as selector:
        for file in files:
            selector.register(file, EVENT_READ)
        selector.select(seconds)
