"""The files of trials that lie outside the database: notes of shared ones, links to kept ones."""

from collections.abc import Iterable

from sqlalchemy import Connection, and_, delete, select

from storage.optuna_inside import ARTIFACTS_ATTR_PREFIX
from storage.rows import FileRow, StudyRow
from storage.tables import attempts, attributes, files, trials


def forget(connection: Connection, artifact_ids: Iterable[str]) -> None:
    """Remove notes."""
    connection.execute(delete(files).where(files.c.artifact_id.in_(list(artifact_ids))))


def every(connection: Connection, study: StudyRow, number: int | None) -> list[FileRow]:
    """Read the notes of one trial, or of all, oldest first."""
    worker = attempts.c.worker_id.label("worker")
    columns = (trials.c.number, files.c.attempt, worker, files.c.name, files.c.artifact_id)
    rows = select(*columns).join_from(files, trials, trials.c.trial_id == files.c.trial_id)
    of_file = and_(attempts.c.trial_id == files.c.trial_id, attempts.c.attempt == files.c.attempt)
    rows = (
        rows.join(attempts, of_file)
        .where(trials.c.study_id == study.study_id)
        .order_by(files.c.noted_at)
    )
    if number is not None:
        rows = rows.where(trials.c.number == number)
    return [FileRow(**row) for row in connection.execute(rows).mappings()]


def linked(connection: Connection, study: StudyRow) -> list[str]:
    """Read the ids of the kept files that the study's trials link."""
    keys = select(attributes.c.key).join_from(attributes, trials)
    keys = keys.where(trials.c.study_id == study.study_id)
    keys = keys.where(attributes.c.key.startswith(ARTIFACTS_ATTR_PREFIX))
    return [key.removeprefix(ARTIFACTS_ATTR_PREFIX) for key in connection.scalars(keys)]
