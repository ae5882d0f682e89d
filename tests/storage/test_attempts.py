"""The ledger of attempts: the newest ones, and those of some trials."""

from collections.abc import Callable

from storage.rows import AttemptRow
from storage.store import Claim, Store
from tests.storage.samples import new_study, new_worker

Claiming = Callable[..., Claim]


def named(rows: list[AttemptRow]) -> list[tuple[int, int, str]]:
    return [(row.number, row.attempt, row.worker) for row in rows]


def test_the_newest_attempts_are_those_that_were_begun_last(store: Store, claim: Claiming) -> None:
    store.create(new_study("other"))
    store.register_worker("other", new_worker("eve"))
    store.claim("other", "eve", lease_seconds=30)
    first = claim("ada")
    store.record(first, 1, {"loss": 0.5}, 0.5, seconds=1.0, images=1)
    claim("bob")
    store.end_leases("ada", "killed")
    claim("ada")  # the first trial again

    assert named(store.newest_attempts("toy", most=2)) == [(0, 2, "ada"), (1, 1, "bob")]
    assert store.newest_attempts("toy") == store.attempts("toy")
    assert [row.epochs for row in store.newest_attempts("toy")] == [1, 0, 0]


def test_the_attempts_of_some_trials_are_read_alone(store: Store, claim: Claiming) -> None:
    claim("ada")
    claim("bob")
    assert named(store.attempts_of("toy", [1, 7])) == [(1, 1, "bob")]
    assert store.attempts_of("toy", []) == []
    (row,) = store.attempts("toy", 0)
    assert row.started_at <= row.beat_at
