"""The text that changes when a study does."""

from collections.abc import Callable

import pytest

from storage.store import Claim, Store
from tests.storage.samples import finished, new_worker

Sql = Callable[..., list[tuple[object, ...]]]


def claim(store: Store) -> Claim:
    claimed = store.claim("toy", "ada", lease_seconds=30)
    assert isinstance(claimed, Claim)
    return claimed


CHANGES: dict[str, Callable[[Store], object]] = {
    "a trial begins": claim,
    "a trial begins and ends": lambda store: store.tell(claim(store), finished(1.0)),
    "a worker joins": lambda store: store.register_worker("toy", new_worker("eve")),
    "a worker leaves": lambda store: store.worker_ended("ada", 0, "nothing left to do"),
    "a stop is asked for": lambda store: store.request_stop("toy", "drain"),
    "the test split is used": lambda store: store.note_test_use("toy", "ada", "confirm"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_study_that_changes_has_another_version(store: Store, what: str) -> None:
    (before,) = store.study_versions()
    assert store.study_versions() == [before]
    CHANGES[what](store)
    assert store.study_versions() != [before]


def test_a_study_is_active_while_a_worker_or_a_live_trial_is_there(
    store: Store, sql: Sql, expire: Callable[[], None]
) -> None:
    claim(store)
    assert [row.is_active for row in store.study_versions()] == [True]
    sql("UPDATE search_service.workers SET seen_at = now() - interval '1 hour'")
    assert [row.is_active for row in store.study_versions()] == [True]
    expire()
    assert [row.is_active for row in store.study_versions()] == [False]
