"""A study's arrays in one row, so that a process that starts reads that row and what is newer.

A process that sees the study grown by a tenth, and by 1,000 trials, writes a new one. A snapshot
that is missing, torn or of another form costs time only: the study is then read from its rows.
"""

import io
import zlib
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from sqlalchemy import Connection, LargeBinary, bindparam, text

from storage.errors import DatabaseUnreachable, StorageError

FORM = 4  # counted up whenever the arrays change
FEWEST, SHARE = 1000, 0.1
CHECKSUM = 4  # bytes, in front of the arrays

READ = text("SELECT body FROM search_service.snapshots WHERE study_id = :study")
COUNTED = text("SELECT trials FROM search_service.snapshots WHERE study_id = :study")
REMOVE = text("DELETE FROM search_service.snapshots WHERE study_id = :study")
# Of a study of ours that is still there: any other has no snapshot.
WRITE = text("""INSERT INTO search_service.snapshots (study_id, trials, body)
SELECT study_id, :trials, :body FROM search_service.studies WHERE study_id = :study
    ON CONFLICT (study_id) DO UPDATE SET trials = excluded.trials, body = excluded.body
 WHERE snapshots.trials < excluded.trials""").bindparams(bindparam("body", type_=LargeBinary))

Arrays = Mapping[str, np.ndarray[Any, Any]]


def is_due(trials: int, kept: int) -> bool:
    """Say whether a study of so many trials needs a new snapshot.

    kept: how many trials the last one has.
    """
    return trials - kept >= max(FEWEST, SHARE * kept)


def write(connection: Connection, study_id: int, arrays: Arrays, trials: int) -> int:
    """Write a snapshot unless another process has; return how many trials the stored one has.

    An error of the database is left to the caller's next step: a snapshot is not worth a trial.
    """
    with suppress(StorageError):
        kept: int = connection.scalar(COUNTED, {"study": study_id}) or 0
        if not is_due(trials, kept):
            return kept
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, form=np.array(FORM), **arrays)
        packed = file.getvalue()
        given = {"study": study_id, "trials": trials, "body": _checksum(packed) + packed}
        connection.execute(WRITE, given)
    return trials


def read(connection: Connection, study_id: int, may_remove: bool = True) -> Arrays:
    """Read a study's snapshot; empty where there is none that can be used.

    may_remove: whether one that cannot be used is removed.
    """
    try:
        body = bytes(connection.scalar(READ, {"study": study_id}) or b"")
    except DatabaseUnreachable:
        if connection.invalidated:
            raise
        return {}  # larger than this network carries within the limit of a statement
    arrays = _unpack(body)
    if body and not arrays and may_remove:
        remove(connection, study_id)  # so that another one takes its place
    return arrays


def remove(connection: Connection, study_id: int) -> None:
    """Remove a study's snapshot."""
    connection.execute(REMOVE, {"study": study_id})


def _unpack(body: bytes) -> dict[str, np.ndarray[Any, Any]]:
    checksum, packed = body[:CHECKSUM], body[CHECKSUM:]
    if not packed or checksum != _checksum(packed):
        return {}
    with np.load(io.BytesIO(packed), allow_pickle=False) as kept:
        arrays = dict(kept)
    return arrays if arrays.pop("form", None) == FORM else {}


def _checksum(packed: bytes) -> bytes:
    return zlib.crc32(packed).to_bytes(CHECKSUM)
