"""Stored studies: one of Optuna's each, and our row beside it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from optuna.exceptions import DuplicatedStudyError
from optuna.storages import RDBStorage
from optuna.study import StudyDirection
from sqlalchemy import Connection, Row, Select, delete, insert, select, update

from storage.engine.leases import count_live
from storage.engine.waiting import WAKE
from storage.errors import LiveLeases, StudyExists, unknown_study
from storage.optuna_inside import METRIC_NAMES, optuna_tables, queued_trial
from storage.rows import NewStudy, Shown, StudyRow
from storage.tables import directions, optuna_studies, studies, trials

# A study's note in its system attributes, as optuna-dashboard's `save_note` keeps it: the number of
# its version, and its text in numbered parts. Calling that would load scikit-learn, 1.5 s.
NOTE_VERSION, NOTE_PART = "dashboard:note_ver", "dashboard:note_str:"
LONGEST_PART = 2045


def create(connection: Connection, backend: RDBStorage, study: NewStudy) -> int:
    """Store Optuna's study with its queue and our row beside it, and return the study's id.

    `backend` must be joined to the connection. Raises StudyExists if the name is taken.
    """
    try:
        study_id = backend.create_new_study([StudyDirection[study.direction.upper()]], study.name)
    except DuplicatedStudyError as error:
        found = f"a study {study.name!r} is stored already"
        raise StudyExists(found, "choose another name") from error
    if study.shown:
        show(backend, study_id, study.shown)
    for params in study.queue:
        backend.create_new_trial(study_id, queued_trial(params))
    row = {"study_id": study_id, "definition": study.definition, "trials": study.trials}
    row |= {"fingerprint": study.fingerprint, "data_fingerprint": study.data_fingerprint}
    connection.execute(insert(studies).values(row))
    return study_id


def show(backend: RDBStorage, study_id: int, shown: Shown) -> None:
    """Store what Optuna's readers show of a study; `backend` must be joined to a connection."""
    backend.set_study_system_attr(study_id, METRIC_NAMES, [shown.metric])
    for name, words in shown.attributes.items():
        backend.set_study_user_attr(study_id, name, words)


def write_note(backend: RDBStorage, study_id: int, text: str) -> None:
    """Store a study's note unless it is stored already; `backend` must be joined."""
    stored = backend.get_study_system_attrs(study_id)
    old = {name: part for name, part in stored.items() if name.startswith(NOTE_PART)}
    if "".join(old[f"{NOTE_PART}{number}"] for number in range(len(old))) == text:
        return
    starts = range(0, len(text), LONGEST_PART)
    parts = [text[start : start + LONGEST_PART] for start in starts]
    new = {f"{NOTE_PART}{number}": part for number, part in enumerate(parts)}
    version = {NOTE_VERSION: stored.get(NOTE_VERSION, 0) + 1}
    for name, value in (dict.fromkeys(old, "") | new | version).items():
        backend.set_study_system_attr(study_id, name, value)


def change(connection: Connection, name: str, **columns: Any) -> StudyRow:
    """Set columns of our row of a study, and wake the workers that wait for one of its trials."""
    study_id = one(connection, name).study_id
    connection.execute(update(studies).where(studies.c.study_id == study_id).values(columns))
    connection.execute(WAKE, {"study": study_id})
    return one(connection, name)


def amend(
    connection: Connection, name: str, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]
) -> StudyRow:
    """Replace the definition of a study by what `change` makes of it."""
    study_id = one(connection, name).study_id
    ours = select(studies.c.study_id).where(studies.c.study_id == study_id)
    connection.execute(ours.with_for_update())  # two machines may accept at the same moment
    row = one(connection, name)
    definition = change(row.definition)
    changing = update(studies).where(studies.c.study_id == study_id)
    connection.execute(changing.values(definition=definition))
    return replace(row, definition=definition)


def remove(connection: Connection, name: str) -> None:
    """Remove a study with every row that belongs to it; LiveLeases while a worker holds a trial."""
    lock = select(optuna_studies.c.study_id).where(optuna_studies.c.study_name == name)
    connection.execute(lock.with_for_update())  # no trial can be claimed until the end
    study = one(connection, name)
    if live := count_live(connection, study.study_id):
        raise LiveLeases(
            f"{live} trials of study {name!r} are running",
            f"run `search stop --study {name}`, then try again",
        )
    of_study = select(trials.c.trial_id).where(trials.c.study_id == study.study_id)
    # Our rows refer to Optuna's and are deleted with them.
    for table in reversed(optuna_tables.sorted_tables):
        if "study_id" in table.c:
            connection.execute(delete(table).where(table.c.study_id == study.study_id))
        elif "trial_id" in table.c:
            connection.execute(delete(table).where(table.c.trial_id.in_(of_study)))


def every(connection: Connection) -> list[StudyRow]:
    """Read every stored study, oldest first."""
    rows = connection.execute(_studies().order_by(studies.c.study_id))
    return [_study_row(row) for row in rows]


def one(connection: Connection, name: str) -> StudyRow:
    """Read a study by its name; UnknownStudy names the nearest one."""
    found = connection.execute(_studies().where(optuna_studies.c.study_name == name))
    row = found.one_or_none()
    if row is None:
        raise unknown_study(name, [study.name for study in every(connection)])
    return _study_row(row)


def _studies() -> Select[Any]:
    return (
        select(studies, optuna_studies.c.study_name, directions.c.direction)
        .join_from(studies, optuna_studies)
        .join(directions, directions.c.study_id == studies.c.study_id)
    )


def _study_row(row: Row[Any]) -> StudyRow:
    return StudyRow(
        name=row.study_name,
        study_id=row.study_id,
        definition=row.definition,
        trials=row.trials,
        fingerprint=row.fingerprint,
        data_fingerprint=row.data_fingerprint,
        direction=row.direction.name.lower(),
        stop=row.stop,
        created_at=row.created_at,
    )
