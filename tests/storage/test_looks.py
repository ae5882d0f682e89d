"""A look at a study: its sums, what a later one adds to them, and how little it reads."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from optuna import create_trial
from optuna.trial import TrialState
from sqlalchemy import event

from storage.looks import Look
from storage.rows import HandBackReason, Outcome
from storage.store import Claim, Store
from tests.storage.samples import ended, finished, new_study, new_worker, stock_study

Claiming = Callable[..., Claim]
Sql = Callable[..., list[tuple[object, ...]]]

# Ended trials after those that are there, with an attempt and an epoch each.
MANY = """WITH ended AS (
    INSERT INTO trials (number, study_id, state, datetime_start, datetime_complete)
    SELECT max(number) + n, study_id, 'COMPLETE', now(), now()
      FROM trials, generate_series(1, :count) n GROUP BY study_id, n RETURNING trial_id, number
), valued AS (
    INSERT INTO trial_values (trial_id, objective, value, value_type)
    SELECT trial_id, 0, 1 + number, 'FINITE' FROM ended
), tried AS (
    INSERT INTO search_service.attempts
           (trial_id, attempt, worker_id, lease_seconds, ended_at, reason, ends_trial)
    SELECT trial_id, 1, 'ada', 30, now(), 'finished', true FROM ended
)
INSERT INTO search_service.epochs (trial_id, epoch, attempt, value, metrics, seconds, images)
SELECT trial_id, 1, 1, 1, '{}', 1, 1 FROM ended"""


@pytest.fixture
def endless(store: Store) -> Store:
    store.update_definition("toy", {}, trials=None)
    return store


def record(store: Store, claim: Claim, epochs: int = 1) -> None:
    for epoch in range(1, epochs + 1):
        store.record(claim, epoch, {"val_loss": 0.5}, 0.5, seconds=2.0, images=10)


def begin(store: Store, claim: Claim) -> None:
    with store.trial(claim) as trial:
        trial.suggest_float("x", 0, 1)


def numbers(look: Look) -> tuple[list[int], list[int]]:
    """The trials that have ended since the look before, and those that run."""
    return [trial.number for trial in look.ended], [trial.number for trial in look.running]


def test_a_first_look_counts_every_trial_and_names_the_first_of_each_outcome(
    endless: Store, claim: Claiming
) -> None:
    endless.tell(claim(), ended("FAIL", "code_error", "the first bug"))
    endless.tell(claim(), ended("FAIL", "code_error", "another bug"))
    for value in (0.3, 0.2):
        held = claim()
        record(endless, held, epochs=3)
        endless.tell(held, finished(value))
    running = claim("bob")
    look = endless.look("toy")

    assert (look.counts.total, look.counts.ended, look.counts.begun) == (5, 4, 5)
    assert look.outcomes == {"code_error": 2, "finished": 2}
    assert look.firsts[Outcome.CODE_ERROR].detail == "the first bug"
    assert [trial.number for trial in look.ranking] == [3, 2]
    assert (look.timed_trials, look.trained_seconds) == (2, 12.0)
    assert numbers(look) == ([], [running.number])


def test_the_first_trial_of_an_outcome_is_the_one_of_the_lowest_number(
    endless: Store, claim: Claiming
) -> None:
    slow, quick = claim("ada"), claim("bob")
    endless.tell(quick, ended("FAIL", "code_error", "quick"))
    before = endless.look("toy")
    endless.tell(slow, ended("FAIL", "code_error", "slow"))

    assert before.firsts[Outcome.CODE_ERROR].detail == "quick"
    assert endless.look("toy", before).firsts[Outcome.CODE_ERROR].detail == "slow"


def test_each_trial_that_ends_is_told_in_one_look(endless: Store, claim: Claiming) -> None:
    first, second = claim("ada"), claim("bob")
    before = endless.look("toy")
    endless.tell(second, finished(0.2))
    seen = endless.look("toy", before)
    endless.tell(first, finished(0.3))
    endless.tell(claim(), finished(0.4))  # it began and ended between two looks
    last = endless.look("toy", seen)

    assert [numbers(look) for look in (before, seen, last)] == [
        ([], [0, 1]),
        ([1], [0]),
        ([0, 2], []),
    ]
    assert numbers(endless.look("toy", last)) == ([], [])


@pytest.mark.parametrize("seed", range(2))
def test_a_look_that_goes_on_knows_what_a_fresh_one_knows(endless: Store, seed: int) -> None:
    draw, store = random.Random(seed), endless
    workers = ["ada", "bob", "eve"]
    store.register_worker("toy", new_worker("eve"))
    held: dict[str, Claim] = {}
    look = store.look("toy", newest=9)
    for _ in range(40):
        worker = draw.choice(workers)
        if worker not in held:
            claim = store.claim("toy", worker, lease_seconds=30)
            assert isinstance(claim, Claim)
            held[worker] = claim
            if draw.random() < 0.8:
                begin(store, claim)
        elif draw.random() < 0.3:
            record(store, held[worker], draw.randint(0, 2))
        else:
            act(store, held.pop(worker), draw)
        if draw.random() < 0.6:
            look = store.look("toy", look, newest=9)
    look, fresh = store.look("toy", look, newest=9), store.look("toy", newest=9)

    assert look.counts.ended == sum(look.outcomes.values())
    assert plain(look) == plain(fresh)


def act(store: Store, claim: Claim, draw: random.Random) -> None:
    """Let a trial go on, end in some way, or be ended or added to by a person."""
    record(store, claim, draw.randint(0, 2))
    match draw.randint(0, 5):
        case 0:
            store.hand_back(claim, HandBackReason.DRAINED)
        case 1:
            store.tell(claim, ended("PRUNED", "pruned"))
        case 2:
            stock_study(store).tell(claim.number, state=TrialState.FAIL)
        case 3:
            study = stock_study(store)
            study.enqueue_trial({"x": 1.0})
            study.add_trial(create_trial(value=0.0))
            store.hand_back(claim, HandBackReason.STOPPED)
        case _:
            store.tell(claim, finished(draw.choice([0.1, 0.2, draw.random()])))


def plain(look: Look) -> Look:
    """A look without what depends on its moment and on the look before."""
    quiet = [replace(worker, silent_seconds=0.0) for worker in look.workers]
    seconds = round(look.trained_seconds, 6)
    return replace(look, ended=(), workers=quiet, trained_seconds=seconds, read_at=None)


def test_a_look_has_the_moment_of_the_database(store: Store, sql: Sql) -> None:
    ((before,),) = sql("SELECT clock_timestamp()")
    looks = [store.look("toy")]
    looks += [store.look("toy", looks[0])]
    ((after,),) = sql("SELECT clock_timestamp()")
    assert before <= looks[0].read_at < looks[1].read_at <= after


@pytest.mark.parametrize("is_running", [True, False])
def test_a_trial_that_a_person_fails_is_seen(
    endless: Store, claim: Claiming, is_running: bool
) -> None:
    study = stock_study(endless)
    study.enqueue_trial({"x": 1.0})
    if is_running:
        claim()
    before = endless.look("toy")
    (trial,) = study.get_trials()
    study._storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
    now = endless.look("toy", before)

    assert (before.counts.ended, len(before.waiting)) == (0, 0 if is_running else 1)
    assert (numbers(now), now.outcomes) == (([0], []), {"ended_elsewhere": 1})
    assert (now.counts.waiting, now.waiting) == (0, set())


def test_a_study_that_was_made_again_under_its_name_is_read_anew(
    endless: Store, claim: Claiming
) -> None:
    endless.tell(claim(), finished(0.2))
    before = endless.look("toy")
    endless.delete("toy")
    endless.create(new_study("toy"))
    now = endless.look("toy", before)

    assert (now.counts.total, now.outcomes, now.ranking) == (0, {}, [])


def test_a_trial_that_ends_while_a_look_is_read_ends_in_the_next_one(
    endless: Store, claim: Claiming
) -> None:
    held = claim()
    record(endless, held)
    before = endless.look("toy")
    seen: list[str] = []

    def end_it(*details: object) -> None:
        seen.append(str(details[2]))
        if len(seen) == 2:  # after the first one, with which the moment is fixed
            endless.tell(held, finished(0.2))

    with listening(endless, "before_cursor_execute", end_it):
        now = endless.look("toy", before)
    assert numbers(now) == ([], [held.number])
    assert now.running[0].state == "RUNNING"
    assert numbers(endless.look("toy", now)) == ([held.number], [])


def test_a_later_look_reads_as_little_in_a_long_study_as_in_a_short_one(
    endless: Store, claim: Claiming, sql: Sql
) -> None:
    held = claim()
    record(endless, held, epochs=3)
    rows: list[int] = []

    def count(*details: object) -> None:
        rows.append(details[1].rowcount)  # type: ignore[attr-defined]

    def read(before: Look) -> list[int]:
        rows.clear()
        with listening(endless, "after_cursor_execute", count):
            endless.look("toy", before)
        return [*rows]

    short = read(endless.look("toy"))
    sql(MANY, count=2000)
    long = read(endless.look("toy"))
    assert short == long
    assert sum(long) <= 8  # study, one changed trial and its row, two workers


def test_a_running_trial_is_read_again_when_there_is_news_of_it(
    endless: Store, claim: Claiming
) -> None:
    held = claim()
    begin(endless, held)
    look = endless.look("toy")

    def reads() -> bool:
        nonlocal look
        seen: list[str] = []
        with listening(endless, "before_cursor_execute", lambda *all_: seen.append(all_[2])):
            look = endless.look("toy", look)
        assert look.running == endless.look("toy").running
        return any("trial_params" in statement for statement in seen)

    assert not reads()
    record(endless, held)
    assert reads()
    assert not reads()
    endless.hand_back(held, HandBackReason.DRAINED, "a detail")
    assert reads()
    claim("bob")
    assert reads()


def test_a_first_look_at_a_long_study_sends_few_rows(
    endless: Store, claim: Claiming, sql: Sql
) -> None:
    claim()
    sql(MANY, count=2000)
    sent: list[int] = []

    def count(*details: object) -> None:
        sent.append(details[1].rowcount)  # type: ignore[attr-defined]

    with listening(endless, "after_cursor_execute", count):
        look = endless.look("toy")
    assert (look.counts.total, look.outcomes) == (2001, {"finished": 2000})
    assert [trial.number for trial in look.ranking] == list(range(1, 21))
    assert sum(sent) < 60


@contextmanager
def listening(store: Store, what: str, listen: Callable[..., None]) -> Iterator[None]:
    engine = store.engine
    event.listen(engine, what, listen)
    try:
        yield
    finally:
        event.remove(engine, what, listen)


def test_a_curve_that_was_replaced_up_to_the_same_epoch_is_read_again(
    store: Store, claim: Claiming
) -> None:
    held = claim()
    begin(store, held)
    record(store, held, epochs=2)
    store.hand_back(held, HandBackReason.DRAINED)
    held = claim()
    before = store.look("toy")
    for epoch in (1, 2):
        metrics = {"val_loss": 0.1}
        store.record(held, epoch, metrics, 0.1, seconds=2.0, images=10, is_deterministic=False)
    (trial,) = store.look("toy", before).running
    assert trial == store.trials("toy")[0]
    assert trial.last
    assert trial.best
    assert (trial.last.value, trial.best.value) == (0.1, 0.1)
