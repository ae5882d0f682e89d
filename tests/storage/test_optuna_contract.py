"""The behaviour of Optuna that storage relies on without a promise: one test each."""

import contextlib
from collections.abc import Callable

import optuna
import pytest
from optuna.artifacts._upload import ARTIFACTS_ATTR_PREFIX
from optuna.storages import RDBStorage
from optuna.trial import TrialState, create_trial
from sqlalchemy import Engine, text

from storage.optuna_inside import joined, optuna_tables
from storage.store import Claim, Store
from storage.transaction import transaction
from tests.storage.samples import ended

Write = Callable[[RDBStorage, int, int], object]

WRITES: dict[str, Write] = {
    "create": lambda backend, study, _: backend.create_new_trial(study),
    "enqueue": lambda backend, study, _: backend.create_new_trial(
        study, create_trial(state=TrialState.WAITING)
    ),
    "report": lambda backend, _, trial: backend.set_trial_intermediate_value(trial, 1, 0.5),
    "attribute": lambda backend, _, trial: backend.set_trial_system_attr(trial, "key", 1),
    "tell": lambda backend, _, trial: backend.set_trial_state_values(
        trial, TrialState.COMPLETE, [0.5]
    ),
    "new study": lambda backend, *_: backend.create_new_study(
        [optuna.study.StudyDirection.MINIMIZE], "another"
    ),
}


class Undo(Exception):
    """Ends a transaction."""


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_optunas_writes_are_undone_with_ours(
    write: Write, store: Store, backend: RDBStorage, claim: Callable[..., Claim]
) -> None:
    held, study_id = claim(), store.study("toy").study_id
    before = everything(backend.engine)
    with transaction(backend.engine) as connection, joined(backend, connection):
        write(backend, study_id, held.trial_id)
        assert everything(backend.engine) == before  # nobody else sees it yet
        connection.get_transaction().rollback()  # type: ignore[union-attr]
    assert everything(backend.engine) == before


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_optunas_writes_are_kept_with_ours(
    write: Write, store: Store, backend: RDBStorage, claim: Callable[..., Claim]
) -> None:
    held, study_id = claim(), store.study("toy").study_id
    before = everything(backend.engine)
    with transaction(backend.engine) as connection, joined(backend, connection):
        write(backend, study_id, held.trial_id)
    assert everything(backend.engine) != before


def test_after_a_joined_write_the_backend_stands_on_its_own_again(
    store: Store, backend: RDBStorage
) -> None:
    with transaction(backend.engine) as connection, joined(backend, connection):
        pass
    study_id = store.study("toy").study_id
    backend.create_new_trial(study_id)
    assert len(backend.get_all_trials(study_id)) == 1


def test_a_trial_is_attached_again_with_its_number_values_and_steps(
    store: Store, claim: Callable[..., Claim]
) -> None:
    held = claim("ada")
    with store.trial(held) as trial:
        drawn = trial.suggest_float("x", 0, 1)
    store.record(held, 1, {"loss": 0.5}, 0.5, seconds=1.0, images=10)
    store.hand_back(held, "drained")
    with store.trial(claim("bob")) as again:
        assert (again.number, again.suggest_float("x", 0, 1)) == (0, drawn)
        assert 0 <= again.suggest_float("y", 0, 1) <= 1
    frozen = store.optuna_study("toy").trials[0]
    assert (frozen.intermediate_values, set(frozen.params)) == ({1: 0.5}, {"x", "y"})


def test_drawn_values_are_written_whole_or_not_at_all(
    store: Store, claim: Callable[..., Claim]
) -> None:
    held = claim()
    with contextlib.suppress(Undo), store.trial(held) as trial:
        trial.suggest_float("x", 0, 1)
        raise Undo
    assert store.trials("toy")[0].params == {}
    with store.trial(held) as trial:
        trial.suggest_float("x", 5, 6)
    assert 5 <= store.trials("toy")[0].params["x"] <= 6


def test_a_pruned_trial_with_nan_as_its_last_report_is_ranked_last(
    store: Store, claim: Callable[..., Claim]
) -> None:
    from optuna.samplers._tpe.sampler import _split_pruned_trials

    for value in (0.9, float("nan")):
        held = claim()
        store.record(held, 1, {"loss": value}, value, seconds=1.0, images=10)
        store.tell(held, ended("PRUNED", "pruned"))
    study = store.optuna_study("toy")
    below, above = _split_pruned_trials(study.trials, study, n_below=1)
    assert [[trial.number for trial in part] for part in (below, above)] == [[0], [1]]


def test_optunas_tables_have_the_columns_that_we_read(engine: Engine) -> None:
    for table in optuna_tables.sorted_tables:
        with engine.connect() as connection:
            assert connection.execute(table.select()).keys() == table.columns.keys()


def test_artifacts_hang_on_attributes_of_this_prefix() -> None:
    assert ARTIFACTS_ATTR_PREFIX == "artifacts:"


def everything(engine: Engine) -> list[object]:
    """Read every row of Optuna's tables, as another connection sees them."""
    with engine.connect() as connection:
        return [
            sorted(map(str, connection.execute(text(f"SELECT * FROM {name}"))))
            for name in optuna_tables.tables
        ]
