"""How each trial was drawn, and why so, is stored with its values and seen by every sampler."""

from collections.abc import Callable
from typing import Any

import pytest
from optuna.samplers import RandomSampler

from storage.engine.changes import WAYS
from storage.rows import Drawing, HandBackReason, Way
from storage.store import Claim, Store
from tests.storage.samples import draw, new_study

Claiming = Callable[..., Claim]
Sql = Callable[..., Any]


def stored(sql: Sql) -> list[tuple[str, Any]]:
    return [tuple(row) for row in sql("SELECT way, why FROM search_service.draws ORDER BY 1")]


@pytest.mark.parametrize("way", Way)
def test_a_sampler_sees_how_a_trial_was_drawn(store: Store, claim: Claiming, way: Way) -> None:
    draw(store, claim(), Drawing(way))
    assert [WAYS[each] for each in store.arrays("toy").ways] == [way]


def test_the_reason_is_stored_with_the_values(store: Store, claim: Claiming, sql: Sql) -> None:
    why = {"record": 0.71, "trust": {"x": 0.93}}
    draw(store, claim(), Drawing(Way.MODEL_WITH_PRIOR, why))
    assert stored(sql) == [("model_with_prior", why)]


def test_a_trial_of_the_queue_is_enqueued_whatever_its_sampler_says(store: Store, sql: Sql) -> None:
    store.create(new_study("queued", queue=[{"x": 0.5}]))
    claim = store.claim("queued", "ada", lease_seconds=30)
    assert isinstance(claim, Claim)
    draw(store, claim, Drawing(Way.MODEL, {"record": 0.5}))
    assert stored(sql) == [("enqueued", None)]


def test_a_second_attempt_is_not_drawn_again(store: Store, claim: Claiming, sql: Sql) -> None:
    first = claim()
    draw(store, first, Drawing(Way.PRIOR))
    store.hand_back(first, HandBackReason.DRAINED)

    def choose(_: object) -> RandomSampler:
        raise AssertionError("the values stand in the database")

    with store.trial(claim(), choose) as trial:
        assert trial.params
    assert stored(sql) == [("prior", None)]


def test_a_trial_whose_worker_died_before_its_draw_has_no_way(
    store: Store, claim: Claiming
) -> None:
    claim()
    assert [WAYS[each] for each in store.arrays("toy").ways] == ["-"]
