"""The checks of `search chaos`: whole studies pass, and each damage breaks its promises."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from search.chaos.promises import check, observe
from search.worker.loop import work
from storage.store import Store
from storage.transaction import transaction
from tests.search.toy_worker import make_worker, take
from tests.storage.samples import new_worker

BUDGET = "no trial is lost, none is more than the budget"
EPOCHS = "every epoch is there once, none is missing"
ATTEMPTS = "one attempt at a time has a trial, and it alone writes"
LEASES = "no worker takes a trial whose lease is live"
TOLD = "every trial is ended once, and Optuna has the same numbers"
RUNGS = "every trial is judged once at each rung"
CURVES = "every curve is the undisturbed one, bit for bit"

ATTEMPT_1 = "WHERE attempt = 1 AND trial_id = (SELECT min(trial_id) FROM trials)"
OF_TRIAL = "WHERE trial_id = (SELECT trial_id FROM trials WHERE number = :number)"
DAMAGES = {
    "a running trial": ("UPDATE trials SET state = 'RUNNING' WHERE number = 1", {BUDGET}),
    "a failed trial": ("UPDATE trials SET state = 'FAIL' WHERE number = 1", {BUDGET}),
    "a missing epoch": ("DELETE FROM search_service.epochs WHERE epoch = 2", {EPOCHS, TOLD}),
    "an epoch that Optuna lacks": ("DELETE FROM trial_intermediate_values WHERE step = 3", {TOLD}),
    "another value": ("UPDATE trial_values SET value = 7", {TOLD}),
    "an attempt without end": (
        f"UPDATE search_service.attempts SET ended_at = ended_at + interval '1 hour' {ATTEMPT_1}",
        {ATTEMPTS},
    ),
    "an epoch written afterwards": (
        "UPDATE search_service.epochs SET attempt = 1, recorded_at = now() WHERE epoch = 5",
        {ATTEMPTS},
    ),
    "a lease taken while it was live": (
        f"UPDATE search_service.attempts SET reason = 'lost', worker_id = 'v' {ATTEMPT_1}",
        {LEASES},
    ),
    "a trial told twice": (
        f"UPDATE search_service.attempts SET reason = 'finished', ends_trial = true {ATTEMPT_1}",
        {TOLD},
    ),
    "a rung that is missing": ("DELETE FROM search_service.rungs WHERE rung = 2", {RUNGS}),
    "a number from elsewhere": (
        "UPDATE search_service.epochs SET metrics = '{\"val_loss\": 1}' WHERE epoch = 4",
        {CURVES},
    ),
}


@pytest.fixture
def broken(store: Store, database_url: str, tmp_path: Path) -> Callable[[], set[str]]:
    """Gives the broken promises of a study of three trials, the first of two attempts."""
    worker = make_worker(store, tmp_path, trials=3)  # the first three are not judged
    store.register_worker("toy", new_worker("v"))
    store.hand_back(take(worker), "drained")
    assert work(worker) == 0

    def broken() -> set[str]:
        with Store.open(database_url) as fresh:  # Optuna remembers trials that have ended
            return {each.words for each in check(observe(fresh, "toy", 3, 30.0)) if each.broken}

    return broken


def test_a_study_that_nothing_happened_to_keeps_every_promise(
    broken: Callable[[], set[str]],
) -> None:
    assert broken() == set()


@pytest.mark.parametrize(("statement", "promises"), DAMAGES.values(), ids=DAMAGES)
def test_each_damage_breaks_exactly_its_promises(
    statement: str, promises: set[str], broken: Callable[[], set[str]], database_url: str
) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        assert connection.execute(text(statement)).rowcount > 0
    engine.dispose()

    assert broken() == promises


def test_a_trial_that_is_gone_is_missed(store: Store, broken: Callable[[], set[str]]) -> None:
    found = check(observe(store, "toy", 4, 30.0))
    assert [each.broken for each in found if each.broken] == [
        ("4 trials were begun, and there are 3",)
    ]


def test_a_trial_that_was_pruned_where_it_stood_well_is_found(store: Store, tmp_path: Path) -> None:
    worker = make_worker(store, tmp_path, trials=12)
    assert work(worker) == 0
    found = check(observe(store, "toy", 12, 30.0))
    assert not any(each.broken for each in found)
    pruned = next(row.number for row in store.trials("toy") if row.outcome == "pruned")
    with transaction(store.engine) as connection:
        given = {"number": pruned}
        connection.execute(text(f"UPDATE search_service.rungs SET rank = 1 {OF_TRIAL}"), given)
    broken = {each.words: each.broken for each in check(observe(store, "toy", 12, 30.0))}
    assert broken[RUNGS][0].startswith(f"trial {pruned} was noted at rungs [2")
