"""The uses of a study's test split: the time, the process and the purpose of each opening."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from storage.rows import StudyRow
from storage.tables import test_uses


@dataclass(frozen=True, kw_only=True)
class UseRow:
    """One use of a study's test split.

    used_by: the worker or process that opened it.
    purpose: the reason, such as "confirm".
    data_fingerprint: of the data that were opened.
    """

    used_at: datetime
    used_by: str
    purpose: str
    data_fingerprint: str


def note(connection: Connection, study: StudyRow, used_by: str, purpose: str) -> None:
    """Store a use of the study's test split, before the split is opened."""
    row = {"study_id": study.study_id, "used_by": used_by, "purpose": purpose}
    row["data_fingerprint"] = study.data_fingerprint
    connection.execute(insert(test_uses).values(row))


def every(connection: Connection, study: StudyRow) -> list[UseRow]:
    """Read every use of the study's test split, oldest first."""
    columns = [test_uses.c[name] for name in ("used_at", "used_by", "purpose", "data_fingerprint")]
    of_study = test_uses.c.study_id == study.study_id
    rows = connection.execute(select(*columns).where(of_study).order_by(test_uses.c.use_id))
    return [UseRow(**row) for row in rows.mappings()]
