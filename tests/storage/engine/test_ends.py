"""Questions about ended trials: the best, those that are final, the errors in a row."""

import math
from collections.abc import Callable

from optuna.storages import RDBStorage
from optuna.trial import TrialState, create_trial

from storage.rows import Outcome, TrialEnd
from storage.store import Claim, Store
from tests.storage.samples import ended, finished, new_study, new_worker

Claiming = Callable[..., Claim]
BUG, ELSEWHERE = "ZeroDivisionError at losses.py:7", "ZeroDivisionError at losses.py:8"


def error(where: str) -> TrialEnd:
    return TrialEnd(state="FAIL", value=None, outcome=Outcome.CODE_ERROR, where=where)


def run(store: Store, *ends: TrialEnd, study: str = "toy", worker: str = "ada") -> None:
    """End one trial after the other."""
    store.update_definition(study, {}, trials=None)
    for end in ends:
        claim = store.claim(study, worker, lease_seconds=30)
        assert isinstance(claim, Claim)
        store.tell(claim, end)


def test_the_best_trials_come_first_and_among_equals_the_earlier_one(store: Store) -> None:
    run(store, finished(0.5), finished(0.3), ended("FAIL", "code_error"), finished(0.3))
    assert store.best("toy", 2) == [1, 3]
    assert store.best("toy", 9) == [1, 3, 0]


def test_a_value_that_another_program_gave_a_trial_is_not_the_best(
    store: Store, backend: RDBStorage, claim: Claiming
) -> None:
    run(store, finished(0.5))
    told = claim("bob")
    backend.set_trial_state_values(told.trial_id, TrialState.COMPLETE, [0.1])
    backend.create_new_trial(store.study("toy").study_id, create_trial(value=0.2))
    assert store.best("toy", 9) == [0]


def test_an_infinite_value_is_ranked_by_its_sign(store: Store) -> None:
    run(store, finished(math.inf), finished(0.3), finished(-math.inf))
    assert store.best("toy", 9) == [2, 1, 0]


def test_the_largest_value_is_the_best_where_the_study_maximizes(store: Store) -> None:
    store.create(new_study("up", direction="maximize"))
    store.register_worker("up", new_worker("eve"))
    run(store, finished(0.3), finished(0.5), study="up", worker="eve")
    assert store.best("up", 1) == [1]


def test_running_trials_are_not_final(store: Store, claim: Claiming) -> None:
    run(store, finished(0.5), ended("PRUNED", "pruned"))
    claim()
    assert store.arrays("toy").ended_among([0, 1, 2, 3]) == {0, 1}


def test_equal_errors_count_until_a_trial_finishes(store: Store) -> None:
    run(store, error(BUG), ended("PRUNED", "pruned"), error(ELSEWHERE), error(BUG))
    assert store.count_same_errors("toy", "ada", BUG) == 2
    run(store, finished(0.5), error(BUG))
    assert store.count_same_errors("toy", "ada", BUG) == 1


def test_errors_before_the_worker_began_do_not_count(store: Store) -> None:
    run(store, error(BUG), error(BUG))
    store.register_worker("toy", new_worker("late"))
    run(store, error(BUG), worker="late")
    assert store.count_same_errors("toy", "late", BUG) == 1
    assert store.count_same_errors("toy", "ada", BUG) == 3


def test_a_worker_has_progressed_by_an_epoch_or_an_ended_trial(
    store: Store, claim: Claiming
) -> None:
    held = claim("ada")
    assert not store.has_progressed("ada")
    store.record(held, 1, {"val_loss": 0.5}, 0.5, seconds=1.0, images=10)
    store.tell(claim("bob"), ended("FAIL", "code_error"))
    assert [store.has_progressed(name) for name in ("ada", "bob", "eve")] == [True, True, False]


def test_a_worker_whose_death_gave_a_trial_up_has_not_progressed(
    store: Store, claim: Claiming
) -> None:
    for _ in range(3):
        claim("ada")
        store.end_leases("ada", "killed")
    assert store.trials("toy")[0].outcome == "killed"
    assert not store.has_progressed("ada")
