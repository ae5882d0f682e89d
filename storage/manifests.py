"""The stored manifest of a study's data: the table of images that the study was created with."""

import gzip

from sqlalchemy import Connection, insert, select

from storage.tables import manifests


def keep(connection: Connection, study_id: int, table: str) -> None:
    """Store a new study's manifest.

    table: CSV text, one row per image.
    """
    packed = gzip.compress(table.encode(), mtime=0)
    connection.execute(insert(manifests).values(study_id=study_id, table_gz=packed))


def read(connection: Connection, study_id: int) -> str | None:
    """Read a study's manifest as the CSV text that was stored; None where there is none."""
    of_study = manifests.c.study_id == study_id
    packed = connection.scalar(select(manifests.c.table_gz).where(of_study))
    return None if packed is None else gzip.decompress(packed).decode()
