"""How trials were drawn: counts that go on without reading all again, and the newest knowledge."""

import random
from collections import Counter
from collections.abc import Callable

import pytest

from storage.live.draws import Draws
from storage.rows import Drawing, HandBackReason, Way
from storage.store import Claim, Store
from tests.search.many_trials import rows_sent
from tests.storage.samples import draw, finished, new_study, new_worker, stock_study

Claiming = Callable[..., Claim]


def known(record: float, **more: object) -> Drawing:
    return Drawing(Way.MODEL_WITH_PRIOR, {"record": record, "trust": {"x": 0.9}, **more})


def end(store: Store, claim: Claim, drawing: Drawing) -> None:
    """Draw a trial and end it."""
    draw(store, claim, drawing)
    store.tell(claim, finished(0.5))


@pytest.mark.parametrize("seed", range(2))
def test_a_reading_that_goes_on_counts_what_a_fresh_one_counts(store: Store, seed: int) -> None:
    store.create(new_study("long", trials=None))
    chance, ways, held = random.Random(seed), Counter[Way](), list[Claim]()
    drawings = [Drawing(way) for way in Way] + [known(0.5)]
    before = store.draws("long")
    for turn in range(40):
        store.register_worker("long", new_worker(f"worker {turn}"))
        claim = store.claim("long", f"worker {turn}", lease_seconds=30)
        assert isinstance(claim, Claim)
        held.append(claim)
        if chance.random() < 0.6:
            claim, drawing = held.pop(chance.randrange(len(held))), chance.choice(drawings)
            end(store, claim, drawing)
            ways[drawing.way] += 1
        if chance.random() < 0.5:
            before = store.draws("long", before)

    before, fresh = store.draws("long", before), store.draws("long")

    assert before == fresh
    assert fresh.ways == {way: ways[way] for way in Way if ways[way]}
    assert fresh.open == {claim.number for claim in held}


def test_the_newest_knowledge_is_that_of_the_latest_trial_that_had_any(
    store: Store, claim: Claiming
) -> None:
    for drawing in (known(0.4), known(0.7, believed=["x"]), Drawing(Way.MODEL, {"model": "tpe"})):
        end(store, claim(), drawing)

    found = store.draws("toy")

    assert (found.trial, found.why) == (1, known(0.7, believed=["x"]).why)


def test_an_older_trial_that_is_drawn_later_brings_no_older_knowledge(
    store: Store, claim: Claiming
) -> None:
    first, second = claim("ada"), claim("bob")
    draw(store, second, known(0.7))
    before = store.draws("toy")
    draw(store, first, known(0.4))

    later = store.draws("toy", before)

    assert (later.trial, later.why["record"]) == (1, 0.7)
    assert later.ways == {Way.MODEL_WITH_PRIOR: 2}


def test_trials_without_a_note_are_in_no_count_and_are_not_read_again(
    store: Store, claim: Claiming, sql: Callable[..., object]
) -> None:
    for _ in range(2):
        store.tell(claim(), finished(0.5))
    sql("DELETE FROM search_service.draws")

    before = store.draws("toy")

    assert (before.ways, before.trial, before.open) == ({}, None, frozenset())
    assert store.draws("toy", before) == before


def test_a_queued_trial_is_counted_once_it_is_drawn(store: Store, claim: Claiming) -> None:
    stock_study(store).enqueue_trial({"x": 0.5})
    before = store.draws("toy")
    draw(store, claim(), known(0.5))

    assert before == Draws(open=frozenset({0}), newest=0)
    assert store.draws("toy", before).ways == {Way.ENQUEUED: 1}


def test_a_trial_that_goes_on_elsewhere_is_counted_once(store: Store, claim: Claiming) -> None:
    first = claim()
    draw(store, first, Drawing(Way.PRIOR))
    before = store.draws("toy")
    store.hand_back(first, HandBackReason.DRAINED)
    draw(store, claim(), Drawing(Way.UNIFORM))

    assert store.draws("toy", before).ways == {Way.PRIOR: 1}


def test_a_reading_sends_one_row_however_many_trials_there_are(
    store: Store, claim: Claiming
) -> None:
    readings = []
    for _ in range(3):
        end(store, claim(), known(0.5))
        with rows_sent(store) as sent:
            store.draws("toy")
        readings.append(sent)
    assert readings[0][-1] == 1
    assert readings == readings[:1] * 3
