"""What is kept of a study's data: its manifest as it was, and who opened its test split."""

import gzip

from sqlalchemy import Connection, insert, select

from storage.rows import UseRow
from storage.tables import manifests, test_uses


def keep_manifest(connection: Connection, study_id: int, table: str) -> None:
    """Write a new study's manifest, a CSV table."""
    packed = gzip.compress(table.encode(), mtime=0)
    connection.execute(insert(manifests).values(study_id=study_id, table_gz=packed))


def manifest_of(connection: Connection, study_id: int) -> str | None:
    """Give a study's manifest as it was written; None where none was."""
    of_study = manifests.c.study_id == study_id
    packed = connection.scalar(select(manifests.c.table_gz).where(of_study))
    return None if packed is None else gzip.decompress(packed).decode()


def note_test_use(
    connection: Connection, study_id: int, used_by: str, purpose: str, data_fingerprint: str
) -> None:
    """Write down that somebody is about to open a study's test split."""
    use = {"used_by": used_by, "purpose": purpose, "data_fingerprint": data_fingerprint}
    connection.execute(insert(test_uses).values(study_id=study_id, **use))


def test_uses_of(connection: Connection, study_id: int) -> list[UseRow]:
    """Give every opening of a study's test split, the first one first."""
    columns = (
        test_uses.c.used_at,
        test_uses.c.used_by,
        test_uses.c.purpose,
        test_uses.c.data_fingerprint,
    )
    rows = select(*columns).where(test_uses.c.study_id == study_id).order_by(test_uses.c.use_id)
    return [UseRow(**row) for row in connection.execute(rows).mappings()]
