"""What samplers read of a stored study is what Optuna reads of it."""

from collections.abc import Iterator

import numpy as np
import optuna
import pytest
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from storage.store import Store
from tests.search.samplers.observing import Observing
from tests.search.samplers.random_studies import RandomStudy

LEARNED = (TrialState.COMPLETE, TrialState.PRUNED)


@pytest.fixture
def optunas(store: Store, database_url: str) -> Iterator[RDBStorage]:
    """Optuna's own storage on the database of a store."""
    storage = RDBStorage(database_url)
    yield storage
    storage.engine.dispose()


@pytest.mark.parametrize("seed", range(4))
def test_a_stored_study_is_observed_as_it_is_in_optunas_memory(
    store: Store, optunas: RDBStorage, seed: int
) -> None:
    made = RandomStudy(seed, trials=40)
    name = made.optuna_study.study_name
    optuna.copy_study(
        from_study_name=name, from_storage=made.optuna_study._storage, to_storage=optunas
    )
    stored, expected = store.arrays(name), Observing(made.optuna_study)
    is_learned = np.isin(expected.states, LEARNED)

    assert (stored.direction, stored.count) == (expected.direction, expected.count)
    assert stored.states.tolist() == expected.states.tolist()
    for of in ("values", "last_steps", "last_values", "violations"):
        found, wanted = getattr(stored, of)[is_learned], getattr(expected, of)[is_learned]
        np.testing.assert_array_equal(found, wanted, err_msg=of)
    for param, distribution in made.space.items():
        found = stored.column(param, distribution)
        np.testing.assert_array_equal(found, expected.column(param, distribution), err_msg=param)
