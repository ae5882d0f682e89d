"""A trial at a rung: noted once, ranked among its kin that were there, and fenced."""

import math
import random
from collections.abc import Callable

import pytest

from spaces.rungs import kept_of
from storage.engine.rungs import Arrival, Standing
from storage.errors import LeaseLost
from storage.live.rungs import RungLimit
from storage.rows import Outcome
from storage.store import Claim, Store
from tests.storage.samples import ended, new_study, new_worker

Sql = Callable[..., list[tuple[object, ...]]]


def at(value: float, rung: int = 1, kin: str = "ldam=true") -> Arrival:
    return Arrival(rung=rung, kin=kin, epoch=2 * rung, value=value)


def begin(
    store: Store, count: int, study: str = "many", direction: str = "minimize"
) -> list[Claim]:
    """Claim so many trials of a new study, each for a worker of its own."""
    store.create(new_study(study, trials=count, direction=direction))
    claims = []
    for place in range(count):
        store.register_worker(study, new_worker(f"{study}-{place}"))
        claims.append(store.claim(study, f"{study}-{place}", lease_seconds=30))
    assert all(isinstance(claim, Claim) for claim in claims)
    return claims  # type: ignore[return-value]


def test_a_trial_is_ranked_among_those_of_its_kin_that_were_at_its_rung(store: Store) -> None:
    one, two, three, four = begin(store, 4)
    assert store.note_rung(one, at(0.5)) == Standing(1, 1)
    assert store.note_rung(two, at(0.7)) == Standing(2, 2)
    assert store.note_rung(three, at(0.6)) == Standing(2, 3)
    assert store.note_rung(four, at(0.5)) == Standing(1, 4)  # as good as the best
    assert store.note_rung(one, at(0.9, rung=2)) == Standing(1, 1)
    assert store.note_rung(two, at(0.9, rung=3, kin="ldam=false")) == Standing(1, 1)


def test_trials_that_ended_count_and_those_of_another_study_do_not(store: Store) -> None:
    one, two, three = begin(store, 3)
    other, *_ = begin(store, 1, "other")
    for claim, outcome in ((one, "pruned"), (two, "code_error")):
        store.note_rung(claim, at(0.1))
        state = "PRUNED" if outcome == Outcome.PRUNED else "FAIL"
        store.tell(claim, ended(state, outcome))  # type: ignore[arg-type]
    store.note_rung(other, at(0.1))
    assert store.note_rung(three, at(0.2)) == Standing(3, 3)


def test_a_trial_noted_again_has_the_rank_that_it_had_then(store: Store) -> None:
    one, two = begin(store, 2)
    store.note_rung(one, at(0.5))
    store.note_rung(two, at(0.4))
    store.hand_back(one, "drained")
    again = store.claim("many", one.worker, lease_seconds=30)
    assert isinstance(again, Claim)
    assert again.attempt == 2
    assert store.note_rung(again, at(0.5)) == Standing(1, 1)


def test_an_attempt_that_is_over_notes_nothing(store: Store, sql: Sql) -> None:
    (claim,) = begin(store, 1)
    store.end_leases(claim.worker, "killed")
    with pytest.raises(LeaseLost):
        store.note_rung(claim, at(0.5))
    assert sql("SELECT count(*) FROM search_service.rungs") == [(0,)]


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_equal_values_share_a_rank_and_what_is_no_number_is_the_worst(
    store: Store, direction: str
) -> None:
    def loss(value: float) -> float:
        if math.isnan(value):
            return math.inf
        return value if direction == "minimize" else -value

    dice, seen = random.Random(7), list[float]()
    for claim in begin(store, 25, direction=direction):
        value = dice.choice([math.nan, 1e308, -1e308, 0.0, dice.random(), dice.random()])
        standing = store.note_rung(claim, at(value))
        better = sum(loss(each) < loss(value) for each in seen)
        seen.append(value)
        assert standing == Standing(1 + better, len(seen))


@pytest.mark.parametrize("is_worse", [False, True])
@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_the_limit_is_the_worst_value_with_which_the_next_trial_goes_on(
    store: Store, direction: str, is_worse: bool
) -> None:
    values = [0.3, 0.9, 0.5, 0.7, math.nan, 0.1, 0.8]
    *claims, claim = begin(store, 8, direction=direction)
    for each, value in zip(claims, values, strict=True):
        store.note_rung(each, at(value))
    (limit,) = store.rung_limits("many", "ldam=true", 3)
    assert limit == RungLimit(rung=1, trials=7, value=0.5 if direction == "minimize" else 0.7)
    assert store.rung_limits("many", "ldam=false", 3) == []
    worse = 1e-9 if direction == "minimize" else -1e-9
    standing = store.note_rung(claim, at(limit.value + worse * is_worse))
    assert (standing.rank <= kept_of(standing.among)) is not is_worse


def test_a_deleted_study_takes_its_rungs_along(store: Store, sql: Sql) -> None:
    (claim,) = begin(store, 1)
    store.note_rung(claim, at(0.5))
    store.hand_back(claim, "drained")
    store.delete("many")
    assert sql("SELECT count(*) FROM search_service.rungs") == [(0,)]
