"""A trial is written by the worker that holds its lease, and by no other."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from optuna.trial import TrialState
from sqlalchemy import Engine

from storage.engine import steps
from storage.errors import LeaseLost, StorageError
from storage.locks import wait_until
from storage.store import Claim, Nothing, Store
from storage.transaction import transaction
from tests.storage.samples import ended, finished, new_study, new_worker, stock_study

Claiming = Callable[..., Claim]


def record(store: Store, claim: Claim, epoch: int, loss: float = 0.5) -> None:
    store.record(claim, epoch, {"val_loss": loss}, loss, seconds=1.0, images=100)


def finish(store: Store, claim: Claim) -> None:
    store.tell(claim, finished(0.5))


def test_new_trials_are_numbered_from_zero(claim: Claiming) -> None:
    claims = [claim("ada"), claim("bob")]
    assert [(each.number, each.attempt) for each in claims] == [(0, 1), (1, 1)]


def test_a_free_running_trial_comes_before_the_queue(store: Store) -> None:
    store.create(new_study("queued", trials=9, queue=[{"x": 1}, {"x": 2}]))
    store.register_worker("queued", new_worker("eve"))
    first = store.claim("queued", "eve", lease_seconds=30)
    assert isinstance(first, Claim)
    store.hand_back(first, "drained")
    again = store.claim("queued", "eve", lease_seconds=30)
    assert isinstance(again, Claim)
    assert (again.number, again.attempt) == (first.number, 2)


def test_the_queue_is_taken_in_order_and_comes_before_new_trials(store: Store) -> None:
    store.create(new_study("queued", trials=9, queue=[{"x": 1}, {"x": 2}]))
    drawn = []
    for worker in ("u", "v", "w"):
        store.register_worker("queued", new_worker(worker))
        claim = store.claim("queued", worker, lease_seconds=30)
        assert isinstance(claim, Claim)
        with store.trial(claim) as trial:
            drawn.append((claim.number, trial.suggest_float("x", 0, 5)))
    assert drawn[:2] == [(0, 1), (1, 2)]
    assert drawn[2][0] == 2


def test_queued_trials_obey_the_budget(store: Store) -> None:
    store.create(new_study("queued", queue=[{"x": 1}, {"x": 2}]))
    store.register_worker("queued", new_worker("eve"))
    claim = store.claim("queued", "eve", lease_seconds=30)
    assert isinstance(claim, Claim)
    finish(store, claim)
    assert store.claim("queued", "eve", lease_seconds=30) is Nothing.DONE


def test_every_ending_counts_towards_the_budget(store: Store, claim: Claiming) -> None:
    store.tell(claim(), ended("FAIL", "code_error"))
    store.tell(claim(), ended("PRUNED", "pruned"))
    finish(store, claim())
    assert store.claim("toy", "ada", lease_seconds=30) is Nothing.DONE


def test_a_raised_budget_goes_on(store: Store, claim: Claiming) -> None:
    for _ in range(3):
        finish(store, claim())
    store.update_definition("toy", {}, trials=4)
    assert claim().number == 3


def test_a_worker_waits_while_others_hold_the_last_trials(store: Store, claim: Claiming) -> None:
    store.update_definition("toy", {}, trials=1)
    held = claim("ada")
    assert store.claim("toy", "bob", lease_seconds=30) is Nothing.WAIT
    finish(store, held)
    assert store.claim("toy", "bob", lease_seconds=30) is Nothing.DONE


def test_no_trial_is_handed_out_after_a_stop_request(store: Store, claim: Claiming) -> None:
    store.request_stop("toy", "drain")
    assert store.claim("toy", "ada", lease_seconds=30) is Nothing.STOPPED
    store.clear_stop("toy")
    assert claim().number == 0


def test_a_stop_request_reaches_workers_with_their_next_beat(store: Store, claim: Claiming) -> None:
    held = claim()
    assert store.beat(held) is None
    store.request_stop("toy", "now")
    assert store.beat(held) == "now"


def test_an_unregistered_worker_gets_no_trial(store: Store) -> None:
    with pytest.raises(StorageError, match="start it again"):
        store.claim("toy", "stranger", lease_seconds=30)
    assert store.trials("toy") == []


def test_a_silent_workers_trial_goes_on_under_the_next_attempt(
    store: Store, claim: Claiming, expire: Callable[[], None]
) -> None:
    first = claim("ada")
    with store.trial(first) as trial:
        drawn = trial.suggest_float("x", 0, 1)
    record(store, first, 1)
    expire()
    second = claim("bob")
    with store.trial(second) as trial:
        replayed = trial.suggest_float("x", 0, 1)
    assert (second.number, second.attempt, replayed) == (first.number, 2, drawn)
    assert [row.epoch for row in store.epochs("toy", second.number)] == [1]
    assert [row.reason for row in store.attempts("toy")] == ["lost", None]


def test_a_trial_whose_worker_died_before_any_write_is_found_again(
    claim: Claiming, expire: Callable[[], None]
) -> None:
    first = claim("ada")
    expire()
    assert claim("bob").number == first.number


def test_a_beat_keeps_a_trial(store: Store, claim: Claiming, expire: Callable[[], None]) -> None:
    held = claim("ada")
    expire()
    store.beat(held)
    assert claim("bob").number != held.number


def test_a_recorded_epoch_is_a_beat(
    store: Store, claim: Claiming, expire: Callable[[], None]
) -> None:
    held = claim("ada")
    expire()
    record(store, held, 1)
    assert claim("bob").number != held.number


def test_a_worker_that_beats_while_its_trial_is_being_taken_keeps_it(
    store: Store,
    claim: Claiming,
    expire: Callable[[], None],
    engine: Engine,
    sql: Callable[..., object],
) -> None:
    store.update_definition("toy", {}, trials=1)
    held = claim("ada")
    expire()
    with ThreadPoolExecutor() as threads, transaction(engine) as beating:
        steps.beat(beating, held)
        taking = threads.submit(store.claim, "toy", "bob", lease_seconds=30)
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        assert wait_until(lambda: bool(sql(waiting)), patience_seconds=4)
        beating.commit()
        assert taking.result() is Nothing.WAIT
    store.beat(held)


def test_an_outage_of_the_database_makes_no_worker_look_dead(
    claim: Claiming, sql: Callable[..., object]
) -> None:
    """The last beat is a day ago, but the server has run for less than the lease."""
    held = claim("ada", lease_seconds=6 * 3600)
    sql("UPDATE search_service.attempts SET beat_at = beat_at - interval '1 day'")
    assert claim("bob").number != held.number


@pytest.mark.parametrize("write", ["beat", "record", "tell", "hand_back", "draw"])
def test_a_superseded_worker_writes_nothing(
    write: str, store: Store, claim: Claiming, expire: Callable[[], None]
) -> None:
    old = claim("ada")
    expire()
    claim("bob")
    before = (store.trials("toy"), store.attempts("toy"))
    with pytest.raises(LeaseLost, match="claim the next trial"):
        WRITES[write](store, old)
    assert (store.trials("toy"), store.attempts("toy")) == before


@pytest.mark.parametrize("write", ["beat", "record", "tell", "hand_back", "draw"])
def test_a_worker_whose_claim_the_database_lost_writes_nothing(
    write: str, store: Store, claim: Claiming, sql: Callable[..., object]
) -> None:
    """A standby that took over gives the same attempt once more, to another worker."""
    lost = claim("ada")
    sql("DELETE FROM search_service.attempts")
    given_again = claim("bob")
    assert (given_again.trial_id, given_again.attempt) == (lost.trial_id, lost.attempt)
    before = (store.trials("toy"), store.attempts("toy"))
    with pytest.raises(LeaseLost):
        WRITES[write](store, lost)
    assert (store.trials("toy"), store.attempts("toy")) == before
    WRITES[write](store, given_again)


def test_a_worker_that_ended_nothing_is_not_told_that_it_did(
    store: Store, claim: Claiming, sql: Callable[..., object]
) -> None:
    lost = claim("ada")
    sql("DELETE FROM search_service.attempts")
    finish(store, claim("bob"))
    with pytest.raises(LeaseLost):
        finish(store, lost)


def draw(store: Store, claim: Claim) -> None:
    with store.trial(claim) as trial:
        trial.suggest_float("x", 0, 1)


WRITES: dict[str, Callable[[Store, Claim], object]] = {
    "beat": lambda store, claim: store.beat(claim),
    "record": lambda store, claim: record(store, claim, 1),
    "tell": lambda store, claim: finish(store, claim),
    "hand_back": lambda store, claim: store.hand_back(claim, "drained"),
    "draw": draw,
}


def test_a_claim_whose_answer_was_lost_is_made_again(store: Store, claim: Claiming) -> None:
    unanswered = claim("ada")
    again = claim("ada")
    assert (again.number, again.attempt) == (unanswered.number, 2)
    with pytest.raises(LeaseLost):
        store.beat(unanswered)


def test_an_end_whose_answer_was_lost_is_written_again(store: Store, claim: Claiming) -> None:
    held = claim()
    finish(store, held)
    ended_at = store.trials("toy")[0].ended_at
    finish(store, held)
    assert store.trials("toy")[0].ended_at == ended_at


def test_a_trial_does_not_end_a_second_time(store: Store, claim: Claiming) -> None:
    held = claim()
    finish(store, held)
    with pytest.raises(LeaseLost):
        store.tell(held, ended("FAIL", "code_error"))
    assert store.trials("toy")[0].outcome == "finished"


def test_a_hand_back_whose_answer_was_lost_is_made_again(store: Store, claim: Claiming) -> None:
    held = claim("ada")
    store.hand_back(held, "drained")
    store.hand_back(held, "drained")
    trial = store.trials("toy")[0]
    assert (trial.state, trial.is_leased, trial.outcome) == ("RUNNING", False, None)


def test_a_dead_workers_leases_end_at_once(store: Store, claim: Claiming) -> None:
    held = claim("ada")
    assert store.end_leases("ada", "killed") == 1
    assert store.end_leases("ada", "killed") == 0
    assert claim("bob").number == held.number
    assert store.attempts("toy")[0].reason == "killed"


@pytest.mark.parametrize("write", sorted(WRITES.keys() - {"hand_back"}))
def test_a_trial_that_a_person_failed_ends_its_attempt_quietly(
    write: str, store: Store, claim: Claiming
) -> None:
    held = claim()
    stock_study(store).tell(held.number, state=TrialState.FAIL)
    with pytest.raises(LeaseLost):
        WRITES[write](store, held)
    trial, attempt = store.trials("toy")[0], store.attempts("toy")[0]
    assert (trial.state, trial.outcome, trial.is_leased) == ("FAIL", "ended_elsewhere", False)
    assert (attempt.reason, attempt.ended_at) == ("ended_elsewhere", trial.ended_at)


def test_a_trial_of_another_program_without_a_lease_is_adopted(
    store: Store, claim: Claiming
) -> None:
    stock_study(store).ask()
    assert (claim().number, len(store.trials("toy"))) == (0, 1)


def test_the_database_itself_refuses_a_second_lease(
    claim: Claiming, sql: Callable[..., object]
) -> None:
    held = claim()
    with pytest.raises(Exception, match="one_lease_per_trial"):
        sql(
            "INSERT INTO search_service.attempts (trial_id, attempt, worker_id, lease_seconds)"
            " VALUES (:trial, 2, 'bob', 30)",
            trial=held.trial_id,
        )


def test_a_reason_with_what_postgres_takes_in_no_text_is_stored(
    store: Store, claim: Claiming
) -> None:
    held = claim()

    store.hand_back(held, "drained", "a\0b caf\udce9 \ud83d läsion")

    assert store.attempts("toy")[0].detail == r"a\x00b caf\udce9 \ud83d läsion"
