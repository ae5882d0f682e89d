"""A worker at the rungs: a trial is judged once at each of them, whatever died when."""

from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from sqlalchemy import event, text

from search.worker.attempt import attempt_trial
from search.worker.endings import Finished, Pruned
from search.worker.worker import Worker
from spaces.params import Choice, Float
from spaces.rungs import rung_epochs
from storage.engine.rungs import Arrival, Standing
from storage.errors import DatabaseUnreachable
from storage.store import Claim, Store
from storage.transaction import transaction
from tests.search.toy_worker import attempt, lease, make_worker
from tests.storage.samples import new_worker, stock_study

GOOD, BAD = 0.01, 1e-5


class Died(BaseException):
    """The end of a process, as far as a test can have it in its own."""


class MortalStore(Store):
    """A store whose worker dies around the noting of a rung."""

    dies = ""

    def note_rung(self, claim: Claim, arrival: Arrival) -> Standing:
        if self.dies in ("before", f"before {arrival.rung}"):
            raise Died
        standing = super().note_rung(claim, arrival)
        if self.dies == "after":
            raise Died
        return standing


def toy(store: Store, home: Path, **changes: object) -> Worker:
    """A worker whose trials of 5 epochs have rungs at epochs 2 and 4, numbers 2 and 3."""
    fixed = {"epochs": 5, "seconds_per_epoch": 0.0, "noise": 0.0}
    return make_worker(store, home, **{"trials": 20, "fixed": fixed, **changes})


def pinned(worker: Worker, rate: float) -> Worker:
    return replace(worker, stored=worker.stored.pinned({"learning_rate": rate}))


def crowd(worker: Worker, count: int = 3) -> None:
    """Let so many good trials go through."""
    for _ in range(count):
        assert isinstance(attempt(pinned(worker, GOOD)), Finished)


def sql(store: Store, statement: str, **given: object) -> list[tuple[object, ...]]:
    with transaction(store.engine) as connection:
        result = connection.execute(text(statement), given)
        return [tuple(row) for row in result] if result.returns_rows else []


def noted(store: Store, number: int) -> list[tuple[object, ...]]:
    """Read a trial's rungs: rung, epoch, rank and among how many."""
    return sql(
        store,
        "SELECT rung, epoch, rank, among FROM search_service.rungs JOIN trials USING (trial_id)"
        " WHERE number = :number ORDER BY rung",
        number=number,
    )


def test_a_trial_that_is_not_among_the_best_third_is_stopped_and_says_so(
    store: Store, tmp_path: Path
) -> None:
    worker = toy(store, tmp_path)
    crowd(worker)

    ending = attempt(pinned(worker, BAD))

    (row,) = store.trials_of("toy", [3])
    assert isinstance(ending, Pruned)
    assert row.outcome == "pruned"
    assert row.detail == "rung 2 of 3, epoch 2: rank 4 of 4; the best 2 went on"
    assert noted(store, 3) == [(2, 2, 4, 4)]
    assert [number for _, epoch, number, _ in noted(store, 0)] == [1, 1]


def test_early_ones_go_on_and_count_for_those_after_them(store: Store, tmp_path: Path) -> None:
    worker = toy(store, tmp_path)
    endings = [attempt(pinned(worker, BAD)) for _ in range(3)]
    assert all(isinstance(ending, Finished) for ending in endings)
    crowd(worker, 1)  # ranks first of four
    assert noted(store, 3) == [(2, 2, 1, 4), (3, 4, 1, 4)]


@pytest.mark.parametrize("dies", ["before", "after"])
def test_a_trial_that_died_at_a_rung_is_stopped_by_its_next_attempt(
    dies: str, store: Store, tmp_path: Path, database_url: str
) -> None:
    worker = toy(store, tmp_path)
    crowd(worker)
    with MortalStore.open(database_url) as mortal:
        mortal.dies = dies
        with pytest.raises(Died):
            attempt(pinned(replace(worker, store=mortal), BAD))
    assert len(noted(store, 3)) == (1 if dies == "after" else 0)
    store.end_leases("w", "killed")
    sql(store, "UPDATE search_service.rungs SET value = 9 WHERE among < 4")  # of the others

    ending = attempt(pinned(worker, BAD))

    if dies == "after":  # it was judged, and the answer is the same
        assert isinstance(ending, Pruned)
        assert ending.why == "rung 2 of 3, epoch 2: rank 4 of 4; the best 2 went on"
    else:
        assert isinstance(ending, Finished)
        assert noted(store, 3) == [(2, 2, 1, 4), (3, 4, 1, 4)]


def test_a_trial_that_went_on_is_not_judged_again_by_its_next_attempt(
    store: Store, tmp_path: Path, database_url: str
) -> None:
    worker = toy(store, tmp_path)
    with MortalStore.open(database_url) as mortal:
        mortal.dies = "after"
        with pytest.raises(Died):
            attempt(pinned(replace(worker, store=mortal), BAD))
    store.end_leases("w", "killed")
    held = lease(pinned(worker, BAD))
    store.register_worker("toy", new_worker("v"))
    for _ in range(4):
        attempt(pinned(replace(worker, name="v"), GOOD))

    ending = attempt_trial(held).ending

    assert isinstance(ending, Pruned)
    assert ending.why == "rung 3 of 3, epoch 4: rank 5 of 5; the best 2 went on"
    assert noted(store, 0) == [(2, 2, 1, 1), (3, 4, 5, 5)]


def test_a_trial_that_went_on_for_its_options_sake_is_not_judged_again_by_its_next_attempt(
    store: Store, tmp_path: Path, database_url: str
) -> None:
    rate = Float("learning_rate", 1e-5, 1.0, log=True)
    space, least = [rate, Choice("warmup_epochs", (0,))], {"warmup_epochs": 5}
    fixed = {"epochs": 10, "seconds_per_epoch": 0.0, "noise": 0.0}  # rungs at 2, 4 and 7
    worker = toy(store, tmp_path, space=space, at_least=least, fixed=fixed)
    crowd(worker)
    with MortalStore.open(database_url) as mortal:
        mortal.dies = "before 3"
        with pytest.raises(Died):
            attempt(pinned(replace(worker, store=mortal), BAD))
    assert noted(store, 3) == [(1, 2, 4, 4), (2, 4, 4, 4)]
    store.end_leases("w", "killed")
    held = lease(pinned(worker, BAD))
    store.register_worker("toy", new_worker("v"))
    crowd(replace(worker, name="v"), 2)  # the option has its five finished trials now

    ending = attempt_trial(held).ending

    assert isinstance(ending, Pruned)
    assert ending.why == "rung 3 of 3, epoch 7: rank 6 of 6; the best 2 went on"


class LateStore(Store):
    """A store that notes no rung until it is asked often enough."""

    refusals = 0

    def note_rung(self, claim: Claim, arrival: Arrival) -> Standing:
        if self.refusals:
            self.refusals -= 1
            raise DatabaseUnreachable("the database is away", "try again")
        return super().note_rung(claim, arrival)


def test_a_rung_that_was_passed_during_an_outage_is_judged_afterwards(
    store: Store, tmp_path: Path, database_url: str
) -> None:
    worker = toy(store, tmp_path)
    crowd(worker)
    with LateStore.open(database_url) as late:
        late.refusals = 1
        ending = attempt(pinned(replace(worker, store=late), BAD))
    assert ending == Pruned(3, "rung 2 of 3, epoch 2: rank 4 of 4; the best 2 went on")


def test_a_trial_that_finished_during_an_outage_is_noted_and_not_stopped(
    store: Store, tmp_path: Path, database_url: str
) -> None:
    worker = toy(store, tmp_path)
    crowd(worker)
    with LateStore.open(database_url) as late:
        late.refusals = 3  # at epochs 2, 3 and 4
        ending = attempt(pinned(replace(worker, store=late), BAD))
    assert isinstance(ending, Finished)
    assert noted(store, 3) == [(2, 2, 4, 4), (3, 4, 4, 4)]


SPARED = {
    "space": [Float("learning_rate", 1e-5, 1.0, log=True), Choice("warmup_epochs", (0,))],
    "at_least": {"warmup_epochs": 9},
    "fixed": {"epochs": 10, "seconds_per_epoch": 0.0, "noise": 0.0},  # rungs at 2, 4 and 7
}


def test_a_trial_that_goes_on_for_its_options_sake_is_noted_at_every_rung_of_an_outage(
    store: Store, tmp_path: Path, database_url: str
) -> None:
    worker = toy(store, tmp_path, **SPARED)
    crowd(worker)
    with LateStore.open(database_url) as late:
        late.refusals = 3  # at epochs 2, 3 and 4
        ending = attempt(pinned(replace(worker, store=late), BAD))
    assert isinstance(ending, Finished)
    assert noted(store, 3) == [(1, 2, 4, 4), (2, 4, 4, 4), (3, 7, 4, 4)]


class LateAndMortalStore(LateStore):
    """A store whose worker dies when the database answers again."""

    def note_rung(self, claim: Claim, arrival: Arrival) -> Standing:
        if not self.refusals:
            raise Died
        return super().note_rung(claim, arrival)


def test_a_rung_that_was_passed_before_a_death_in_an_outage_is_judged_by_the_next_attempt(
    store: Store, tmp_path: Path, database_url: str
) -> None:
    worker = toy(store, tmp_path, **SPARED)
    crowd(worker)
    with LateAndMortalStore.open(database_url) as late:
        late.refusals = 1
        with pytest.raises(Died):
            attempt(pinned(replace(worker, store=late), BAD))
    assert noted(store, 3) == []
    store.end_leases("w", "killed")

    attempt(pinned(worker, BAD))

    assert noted(store, 3) == [(1, 2, 4, 4), (2, 4, 4, 4), (3, 7, 4, 4)]


def test_trials_of_other_programs_stand_at_no_rung(store: Store, tmp_path: Path) -> None:
    worker = toy(store, tmp_path)
    for _ in range(5):
        stock_study(store).add_trial(
            optuna.create_trial(value=0.0, intermediate_values={1: 0.0, 2: 0.0, 3: 0.0})
        )
    assert isinstance(attempt(pinned(worker, BAD)), Finished)
    assert noted(store, 0) == [(2, 2, 1, 1), (3, 4, 1, 1)]  # the first was queued before them


def test_the_rule_costs_a_statement_at_each_rung_and_none_elsewhere(
    store: Store, tmp_path: Path
) -> None:
    worker = toy(store, tmp_path, fixed={"epochs": 9, "seconds_per_epoch": 0.0})
    seen: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
    attempt(pinned(worker, GOOD))
    steps = [each.partition("held AS")[2] for each in seen if "held AS" in each]
    at_rungs = ["search_service.rungs" in each for each in steps]
    records = ["INTO search_service.epochs" in each for each in steps]
    assert (sum(at_rungs), sum(records)) == (len(rung_epochs(9)), 9)
    curves = [each for each in seen if "AS steps" in each and "fresh" in each]
    assert len(curves) <= 2  # for the draw and for the files that are kept
