"""How each trial was drawn, and why so, is stored with its values and seen by every sampler."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from optuna.distributions import FloatDistribution
from optuna.samplers import RandomSampler
from sqlalchemy import Engine, event, text

from storage.engine import steps
from storage.engine.changes import WAYS
from storage.errors import AlreadyDrawn, LeaseLost
from storage.locks import wait_until
from storage.rows import Drawing, HandBackReason, Way
from storage.store import Claim, Store
from storage.transaction import transaction
from tests.storage.samples import Explained, draw, ended, new_study, new_worker

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


NEW = Drawing(Way.MODEL)


def test_values_that_another_trial_got_since_they_were_drawn_are_refused(
    store: Store, claim: Claiming, sql: Sql
) -> None:
    draw(store, claim(), NEW, is_new=True)
    late = claim("bob")
    with pytest.raises(AlreadyDrawn, match=r"values drawn for trial 1; draw again"):
        draw(store, late, NEW, is_new=True)

    assert [trial.params for trial in store.trials("toy")][1] == {}
    assert len(stored(sql)) == 1
    assert not store.arrays("toy").is_drawn(1)


def test_values_are_refused_while_the_trial_that_has_them_is_being_written(
    store: Store, claim: Claiming, engine: Engine
) -> None:
    first, late = claim(), claim("bob")
    with ThreadPoolExecutor(1) as other, transaction(engine) as writing:
        values = {"x": (0.5, FloatDistribution(0, 1))}
        steps.draw(writing, first, values, NEW, is_new=True)
        with transaction(engine) as connection:
            waiting = other.submit(steps.draw, connection, late, values, NEW, is_new=True)
            assert wait_until(lambda: count_waiting(engine) == 1, patience_seconds=5)
            writing.commit()
            with pytest.raises(AlreadyDrawn):
                waiting.result()


def test_values_that_need_not_be_new_are_stored_and_the_first_trial_keeps_them(
    store: Store, claim: Claiming, sql: Sql
) -> None:
    draw(store, claim(), Drawing(Way.ENQUEUED))
    draw(store, claim("bob"), NEW)

    assert len({str(trial.params) for trial in store.trials("toy")[:2]}) == 1
    has_digest = sql("SELECT way, digest IS NOT NULL FROM search_service.draws ORDER BY trial_id")
    assert has_digest == [("enqueued", True), ("model", False)]


@pytest.mark.parametrize("state", ["FAIL", "PRUNED"])
def test_values_of_a_trial_that_failed_or_was_stopped_are_not_new(
    store: Store, claim: Claiming, state: Any
) -> None:
    first = claim()
    draw(store, first, NEW, is_new=True)
    store.tell(first, ended(state, "code_error"))
    with pytest.raises(AlreadyDrawn):
        draw(store, claim(), NEW, is_new=True)


def test_another_study_may_draw_the_same_values(store: Store, claim: Claiming) -> None:
    draw(store, claim(), NEW, is_new=True)
    store.create(new_study("other"))
    store.register_worker("other", new_worker("eve"))
    there = store.claim("other", "eve", lease_seconds=30)
    assert isinstance(there, Claim)
    draw(store, there, NEW, is_new=True)
    assert store.trials("other")[0].params == store.trials("toy")[0].params


def test_a_second_attempt_has_the_values_of_the_first_which_are_its_own(
    store: Store, claim: Claiming
) -> None:
    first = claim()
    draw(store, first, NEW, is_new=True)
    before = store.trials("toy")[0].params
    store.hand_back(first, HandBackReason.KILLED)
    draw(store, claim(), NEW, is_new=True)
    assert store.trials("toy")[0].params == before


def test_an_attempt_that_lost_its_lease_takes_no_values_from_others(
    store: Store, claim: Claiming, expire: Callable[[], None]
) -> None:
    stale, held = claim(), list[Claim]()

    def take_over(_: object) -> Explained:
        expire()
        held.append(claim("bob"))
        return Explained(NEW, is_new=True)

    with pytest.raises(LeaseLost), store.trial(stale, take_over) as trial:
        trial.suggest_float("x", 0, 1)
    draw(store, held[0], NEW, is_new=True)
    assert store.trials("toy")[0].params


def test_a_draw_is_one_statement_that_reads_and_one_that_writes(
    store: Store, claim: Claiming
) -> None:
    held, statements = claim(), list[str]()
    store.arrays("toy")  # a process reads the whole study once

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    draw(store, held, NEW, is_new=True)
    assert len(statements) == 2


def count_waiting(engine: Engine) -> int:
    """Count the statements that wait for another transaction."""
    with engine.connect() as connection:
        waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return int(connection.execute(waiting).scalar_one())
