"""Notes of the files that machines share, each made under the lease of the attempt that writes."""

from collections.abc import Iterable

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from storage.leases import Claim
from storage.rows import FileRow, StudyRow
from storage.tables import files, trials


def note(connection: Connection, claim: Claim, name: str, artifact_id: str) -> None:
    """Store the note of an attempt's file; an existing note is kept."""
    row = {"artifact_id": artifact_id, "trial_id": claim.trial_id, "attempt": claim.attempt}
    connection.execute(insert(files).values({**row, "name": name}).on_conflict_do_nothing())


def forget(connection: Connection, artifact_ids: Iterable[str]) -> None:
    """Remove notes."""
    connection.execute(delete(files).where(files.c.artifact_id.in_(list(artifact_ids))))


def every(connection: Connection, study: StudyRow, number: int | None) -> list[FileRow]:
    """Read the notes of one trial, or of all, oldest first."""
    columns = (trials.c.number, files.c.attempt, files.c.name, files.c.artifact_id)
    rows = select(*columns).join_from(files, trials, trials.c.trial_id == files.c.trial_id)
    rows = rows.where(trials.c.study_id == study.study_id).order_by(files.c.noted_at)
    if number is not None:
        rows = rows.where(trials.c.number == number)
    return [FileRow(**row) for row in connection.execute(rows).mappings()]
