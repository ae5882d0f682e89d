"""Every name that storage uses in Optuna although Optuna does not document it, read in 5.0.0.

With a new release of Optuna, read these places again: tests/storage/test_optuna_inside.py fails
by the name of whatever is missing, test_optuna_contract.py where one behaves differently.
Nothing else in storage imports a private module of Optuna.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import optuna
from alembic.script import ScriptDirectory
from optuna.artifacts._upload import ARTIFACTS_ATTR_PREFIX, DEFAULT_MIME_TYPE
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.storages._rdb.models import SCHEMA_VERSION, BaseModel
from optuna.study._constrained_optimization import (
    _CONSTRAINTS_KEY,
    _get_constraints_from_system_attrs,
)
from optuna.study._frozen import FrozenStudy
from optuna.study.study import _SYSTEM_ATTR_METRIC_NAMES
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy import Connection, MetaData, Table

__all__ = ["ARTIFACTS_ATTR_PREFIX", "DEFAULT_MIME_TYPE", "SCHEMA_VERSION", "FrozenStudy"]

QUEUED = "fixed_params"
METRIC_NAMES = _SYSTEM_ATTR_METRIC_NAMES  # a study's system attribute, a name per objective
CONSTRAINTS = _CONSTRAINTS_KEY  # begins the system attributes with a trial's constraints
optuna_version: str = optuna.__version__
optuna_tables: MetaData = BaseModel.metadata
version_info: Table = optuna_tables.tables["version_info"]


def stored_number(value: str, kind: str) -> str:
    """Return the SQL of a number that Optuna stores in two columns.

    value: the column with the number, NULL where it is not finite.
    kind: the column that tells infinities and NaN from finite numbers.
    """
    return f"""CASE CAST({kind} AS text) WHEN 'INF_POS' THEN 'Infinity'
            WHEN 'INF_NEG' THEN '-Infinity' WHEN 'NAN' THEN 'NaN' ELSE {value} END"""


@cache  # Alembic loads every script to find the newest, 15 ms
def optuna_scripts() -> ScriptDirectory:
    """Return Optuna's own migrations; the newest one is the revision of its tables."""
    return ScriptDirectory(str(Path(models.__file__).parent / "alembic"))


def constraint_key(name: str) -> str:
    """Return the system attribute under which a trial's violation of a constraint is read."""
    return f"{_CONSTRAINTS_KEY}:{name}"


def violation(attributes: dict[str, Any]) -> float:
    """Return the sum of a trial's violated constraints, from its system attributes."""
    constraints = _get_constraints_from_system_attrs(attributes)
    return sum((max(0.0, each) for each in constraints.values()), 0.0)


def queued_trial(params: Mapping[str, object]) -> FrozenTrial:
    """Build a waiting trial that draws these values, as `Study.enqueue_trial` stores it."""
    return create_trial(state=TrialState.WAITING, system_attrs={QUEUED: dict(params)})


def queued_values(attributes: Mapping[str, Any]) -> Mapping[str, object]:
    """Return the values that a trial was queued with, by anybody; none for one that was drawn.

    attributes: the trial's system attributes.
    """
    values: Mapping[str, object] = attributes.get(QUEUED, {})
    return values


@contextmanager
def joined(backend: RDBStorage, connection: Connection) -> Iterator[None]:
    """Make this thread's writes through `backend` a part of the connection's transaction."""
    backend.remove_session()
    backend.scoped_session(bind=connection, join_transaction_mode="create_savepoint")
    try:
        yield
    finally:
        backend.remove_session()
