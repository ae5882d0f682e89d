"""A study's arrays in one row, so that a process that starts reads that row and what is newer.

A process that sees the study grown by a tenth, and by 1,000 trials, writes a new one. A snapshot
that is missing, torn or of another form costs time only: the study is then read from its rows.
"""

import io
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from sqlalchemy import Connection, LargeBinary, bindparam, text

from storage.errors import StorageError

FORM = 2  # counted up whenever the arrays change
FEWEST, SHARE = 1000, 0.1

READ = text("SELECT body FROM search_service.snapshots WHERE study_id = :study")
COUNTED = text("SELECT trials FROM search_service.snapshots WHERE study_id = :study")
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
        body = io.BytesIO()
        np.savez(body, allow_pickle=False, form=np.array(FORM), **arrays)
        given = {"study": study_id, "trials": trials, "body": body.getvalue()}
        connection.execute(WRITE, given)
    return trials


def read(connection: Connection, study_id: int) -> Arrays:
    """Read a study's snapshot; empty where there is none that can be used."""
    body = connection.scalar(READ, {"study": study_id})
    if body is None:
        return {}
    try:
        with np.load(io.BytesIO(body), allow_pickle=False) as kept:
            arrays = dict(kept)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return {}
    return arrays if arrays.pop("form", None) == FORM else {}
