"""Where the time went: the sums of the view for people, gone on from without reading all again."""

import random
from collections.abc import Callable

import pytest
from optuna.trial import TrialState

from storage.live.hours import SECONDS, GpuTally
from storage.store import Claim, Store
from tests.storage.samples import ended, finished, new_study, new_worker, stock_study

Sql = Callable[..., list[tuple[float, ...]]]
Claiming = Callable[..., Claim]
ENDS = (finished(0.5), ended("PRUNED", "pruned"), ended("FAIL", "code_error"))


def numbers(spent: GpuTally) -> list[float]:
    return [getattr(spent.seconds, kind) for kind in SECONDS]


def in_the_view(sql: Sql) -> list[float]:
    (row,) = sql(
        "SELECT finished, pruned, failed, running, lost, saved_by_pruning"
        " FROM search_views.gpu_hours WHERE study = 'toy'"
    )
    return [3600 * hours for hours in row]


def take_an_hour(sql: Sql) -> None:
    """Let every attempt that runs have begun an hour earlier."""
    sql(
        "UPDATE search_service.attempts SET started_at = started_at - interval '1 hour'"
        " WHERE ended_at IS NULL"
    )


@pytest.mark.parametrize("seed", range(2))
def test_a_reading_that_goes_on_and_a_fresh_one_say_what_the_view_says(
    store: Store, sql: Sql, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.live.hours.AT_ONCE", 3)
    draw, workers = random.Random(seed), ["ada", "bob", "eve"]
    fixed = {"study": {"fixed": {"epochs": 10}}}
    store.update_definition("toy", fixed, trials=None)
    store.register_worker("toy", new_worker("eve"))
    held: dict[str, Claim] = {}
    spent = store.gpu_seconds("toy")
    for _ in range(40):
        worker = draw.choice(workers)
        if worker not in held:
            held[worker] = store.claim("toy", worker, lease_seconds=30)
        else:
            leave(store, held.pop(worker), draw)
        take_an_hour(sql)
        if draw.random() < 0.5:
            spent = store.gpu_seconds("toy", spent)
    spent = store.gpu_seconds("toy", spent)

    assert numbers(spent) == pytest.approx(numbers(store.gpu_seconds("toy")), abs=5)
    assert numbers(spent) == pytest.approx(in_the_view(sql), abs=5)
    assert min(numbers(spent)[:5]) > 3600
    assert spent.open == {claim.number for claim in held.values()} | unclaimed(store)


def leave(store: Store, claim: Claim, draw: random.Random) -> None:
    """Record some epochs, then end the trial or leave it to the next worker."""
    recorded = len(store.epochs("toy", claim.number))
    for epoch in range(recorded + 1, recorded + draw.randint(0, 2) + 1):
        store.record(claim, epoch, {"loss": 0.5}, 0.5, seconds=600.0, images=10)
    if draw.random() < 0.3:
        store.end_leases(claim.worker, "killed")
    else:
        store.tell(claim, draw.choice(ENDS))


def unclaimed(store: Store) -> set[int]:
    return {trial.number for trial in store.look("toy").running if not trial.is_leased}


def test_a_trial_that_was_pruned_before_its_first_epoch_saves_nothing_that_is_known(
    store: Store, claim: Claiming
) -> None:
    store.tell(claim("ada"), ended("PRUNED", "pruned"))
    assert store.gpu_seconds("toy").seconds.saved == 0


def test_a_trial_that_a_person_ended_counts_until_its_worker_has_let_it_go(
    store: Store, claim: Claiming, sql: Sql
) -> None:
    held = claim("ada")
    stock_study(store).tell(held.number, state=TrialState.FAIL)
    spent = store.gpu_seconds("toy")
    take_an_hour(sql)
    spent = store.gpu_seconds("toy", spent)
    assert spent.seconds.failed == pytest.approx(3600, abs=60)
    assert spent.open == {held.number}

    store.end_leases("ada", "killed")
    spent = store.gpu_seconds("toy", spent)
    assert spent.open == set()
    assert spent.seconds.failed + spent.seconds.lost == pytest.approx(3600, abs=60)


def test_a_study_that_was_made_anew_is_read_anew(store: Store, claim: Claiming, sql: Sql) -> None:
    held = claim("ada")
    take_an_hour(sql)
    store.tell(held, finished(0.5))
    before = store.gpu_seconds("toy")
    assert before.seconds.total > 3600
    store.delete("toy")
    store.create(new_study("toy"))
    assert numbers(store.gpu_seconds("toy", before)) == [0.0] * 6


def test_a_later_reading_looks_at_no_trial_that_is_settled(
    store: Store, claim: Claiming, sql: Sql
) -> None:
    store.tell(claim("ada"), finished(0.5))
    running = claim("bob")
    spent = store.gpu_seconds("toy")
    assert (spent.open, spent.newest) == ({running.number}, running.number)
    sql("UPDATE search_service.attempts SET started_at = started_at - interval '1 hour'")
    later = store.gpu_seconds("toy", spent)
    assert later.seconds.running > 3600
    assert later.seconds.finished == spent.seconds.finished < 60
