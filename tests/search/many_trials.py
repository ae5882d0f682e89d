"""A long study without the time to train it, and how much of it is read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, text

from storage.store import Store
from storage.transaction import transaction

# Copies of a study's first trial, which has ended.
COPIES = """
INSERT INTO trials (number, study_id, state, datetime_start, datetime_complete)
SELECT n, study_id, state, datetime_start, datetime_complete
  FROM trials, generate_series(1, :last) n WHERE number = 0;
INSERT INTO trial_values (trial_id, objective, value, value_type)
SELECT t.trial_id, 0, v.value + t.number, v.value_type FROM trials t, trial_values v
 WHERE t.number BETWEEN 1 AND :last;
INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
SELECT t.trial_id, p.param_name, p.param_value, p.distribution_json FROM trials t, trial_params p
 WHERE t.number BETWEEN 1 AND :last;
INSERT INTO search_service.attempts
       (trial_id, attempt, worker_id, lease_seconds, ended_at, reason, ends_trial)
SELECT t.trial_id, 1, a.worker_id, 30, a.ended_at, a.reason, true
  FROM trials t, search_service.attempts a WHERE t.number BETWEEN 1 AND :last;
INSERT INTO search_service.epochs (trial_id, epoch, attempt, value, metrics, seconds, images)
SELECT t.trial_id, e.epoch, 1, e.value, e.metrics, e.seconds, e.images
  FROM trials t, search_service.epochs e WHERE t.number BETWEEN 1 AND :last"""


def copy_first_trial(store: Store, count: int) -> None:
    """Add so many copies of trial 0, which has ended and is the only one; each one is worse."""
    with transaction(store.engine) as connection:
        for statement in COPIES.split(";\n"):
            connection.execute(text(statement), {"last": count})


@contextmanager
def rows_sent(store: Store) -> Iterator[list[int]]:
    """Collect the number of rows that each statement of a store sends meanwhile."""
    sent: list[int] = []

    def count(_: Any, cursor: Any, *__: Any) -> None:
        sent.append(max(cursor.rowcount, 0))

    event.listen(store.engine, "after_cursor_execute", count)
    try:
        yield sent
    finally:
        event.remove(store.engine, "after_cursor_execute", count)
