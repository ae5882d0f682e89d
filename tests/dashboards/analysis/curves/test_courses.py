"""The curves of a study, read again and again."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from dashboards.analysis.curves.completed import CompletedCurves, completed_curves
from dashboards.analysis.curves.courses import MOST_RUNNING, MOST_SAMPLED, Courses, CoursesReader
from dashboards.analysis.distributions import distributions
from dashboards.analysis.snapshot import Snapshot, read_snapshot
from search.pruners.curve import Curve
from search.pruners.median import why_below_median
from search.pruners.others import Others
from search.pruners.rungs import why_stopped_at_rung
from search.worker.worker import Worker
from spaces.kin import kin_of
from spaces.params import Float, Int, Toggle
from spaces.study import Pruning
from storage.engine.rungs import Arrival
from storage.store import Claim, Store
from storage.transaction import transaction
from tests.search.many_trials import copy_first_trial, rows_sent
from tests.search.toy_worker import attempt, make_worker
from tests.storage.samples import ended, finished, new_worker

SPACE = [Float("learning_rate", 1e-5, 1.0, log=True), Int("epochs", 2, 9)]


class Looker:
    """Somebody who looks at the study again and again."""

    def __init__(self, store: Store) -> None:
        self.store, self.reader = store, CoursesReader()
        self.snapshot: Snapshot | None = None

    def look(self) -> Courses:
        self.snapshot = read_snapshot(self.store, "toy", self.snapshot)
        return self.reader.read(self.store, self.snapshot)


def toy(store: Store, home: Path, **changes: Any) -> Worker:
    fixed = {"seconds_per_epoch": 0.0}
    return make_worker(store, home, **{"space": SPACE, "fixed": fixed, "trials": 30} | changes)


def record(worker: Worker, claim: Claim, *values: float, first: int = 1, **more: Any) -> None:
    for epoch, value in enumerate(values, start=first):
        metrics = {"val_loss": value}
        worker.store.record(claim, epoch, metrics, value, seconds=60.0, images=1, **more)


def begin(worker: Worker, name: str = "w") -> Claim:
    worker.store.register_worker("toy", new_worker(name))
    claim = worker.store.claim("toy", name, lease_seconds=30)
    assert isinstance(claim, Claim)
    with worker.store.trial(claim) as trial:
        worker.study.space.suggest(trial)
    return claim


def test_a_running_curve_grows_by_its_new_epochs_alone(store: Store, tmp_path: Path) -> None:
    worker = toy(store, tmp_path)
    claim, looker = begin(worker), Looker(store)
    assert looker.look().running[0].epochs == ()

    record(worker, claim, 3.0, 2.0)
    assert looker.look().running[0].values["val_loss"] == (3.0, 2.0)
    record(worker, claim, 1.0, first=3)
    snapshot = read_snapshot(store, "toy", looker.snapshot)
    with rows_sent(store) as sent:
        found = looker.reader.read(store, snapshot)
    assert found.running[0].values["val_loss"] == (3.0, 2.0, 1.0)
    assert max(sent) == 1


def test_a_curve_that_a_later_attempt_replaced_is_read_anew(store: Store, tmp_path: Path) -> None:
    worker = toy(store, tmp_path)
    claim, looker = begin(worker), Looker(store)
    record(worker, claim, 3.0, 2.0, 1.0)
    assert looker.look().running[0].values["val_loss"] == (3.0, 2.0, 1.0)

    store.hand_back(claim, "drained")
    claim = begin(worker)
    record(worker, claim, 2.5, 1.5, first=2, is_deterministic=False)
    assert looker.look().running[0].values["val_loss"] == (3.0, 2.5, 1.5)
    record(worker, claim, 0.5, first=4)
    assert looker.look().running[0].values["val_loss"] == (3.0, 2.5, 1.5, 0.5)


def test_nothing_is_read_where_nothing_is_new(store: Store, tmp_path: Path) -> None:
    worker = toy(store, tmp_path)
    attempt(worker)
    record(worker, begin(worker), 3.0)
    looker = Looker(store)
    looker.look()
    snapshot = read_snapshot(store, "toy", looker.snapshot)
    with rows_sent(store) as sent:
        looker.reader.read(store, snapshot)
    assert sent == []


def test_a_running_trial_keeps_its_colour_while_others_end(store: Store, tmp_path: Path) -> None:
    worker, looker = toy(store, tmp_path), Looker(store)
    claims = [begin(worker, name) for name in "abc"]
    before = {course.number: course.place for course in looker.look().running}
    record(worker, claims[0], 1.0)
    store.tell(claims[0], finished(1.0))
    begin(worker)
    after = {course.number: course.place for course in looker.look().running}
    assert before == {0: 0, 1: 1, 2: 2}
    assert after == {1: 1, 2: 2, 3: 0}


def test_a_finished_trial_is_among_the_best_with_every_metric(store: Store, tmp_path: Path) -> None:
    worker, looker = toy(store, tmp_path), Looker(store)
    looker.look()
    attempt(worker)
    found = looker.look()
    assert [course.number for course in found.best] == [0]
    assert found.metrics[:2] == ["val_loss", "train_loss"]
    rows = store.epochs("toy", 0)
    assert found.best[0].values["train_loss"] == tuple(r.metrics["train_loss"] for r in rows)


def test_the_limit_of_the_median_is_what_a_worker_stops_at(store: Store, tmp_path: Path) -> None:
    worker = toy(store, tmp_path, pruning=Pruning("median", startup_trials=4, first_epoch=2))
    for _ in range(3):
        attempt(worker)
    looker = Looker(store)
    assert looker.look().limit.places == []  # too few have ended
    while len(store.best("toy", 9)) < 6:
        attempt(worker)
    limit = dict(looker.look().limit.places)
    assert limit

    def completed() -> CompletedCurves:
        declared = distributions(worker.study.space)
        return completed_curves(worker.stored, declared, store.arrays("toy"))

    others = Others(completed=completed, note=lambda _: None)
    for share in (0.5, 0.75):
        epochs = int(8 * share)
        for value, stops in ((limit[share] + 1e-9, True), (limit[share] - 1e-9, False)):
            curve = Curve(values=dict.fromkeys(range(1, epochs + 1), value), epochs=8)
            assert bool(why_below_median(worker.study, curve, others)) == stops


def reach_two_rungs(worker: Worker, name: str, value: float) -> Claim:
    """Begin a trial of 20 epochs that is noted at the first two of its rungs."""
    claim = begin(worker, name)
    record(worker, claim, *[value] * 7)
    (row,) = worker.store.trials_of("toy", [claim.number])
    kin = kin_of(worker.study, worker.stored.config(row.params))
    for rung, epoch in ((1, 4), (2, 7)):
        arrival = Arrival(rung=rung, kin=kin, epoch=epoch, value=value)
        worker.store.note_rung(claim, arrival)
    return claim


def test_the_limit_at_a_rung_is_what_a_worker_stops_at(store: Store, tmp_path: Path) -> None:
    worker, looker = toy(store, tmp_path, fixed={"epochs": 20}, space=SPACE[:1]), Looker(store)
    reach_two_rungs(worker, "a", 0.5)
    reach_two_rungs(worker, "b", 0.3)
    assert looker.look().limit.places == ()  # the next one would be the third
    claim = reach_two_rungs(worker, "c", 0.7)

    limit = looker.look().limit

    assert limit.where == " at a rung"
    assert [value for _, value in limit.places] == [0.5, 0.5, None] * 2
    shares = [share for share, value in limit.places if value is not None]
    assert shares == pytest.approx([0.18, 0.22, 0.33, 0.37])
    for value, is_stopped in ((0.5 + 1e-9, True), (0.5, False)):
        curve = Curve(values=dict.fromkeys(range(1, 8), value), epochs=20, judged_epoch=4)
        note = partial(store.note_rung, begin(worker, f"at {value}"))
        others = Others(completed=never, note=note)
        assert bool(why_stopped_at_rung(worker.study, curve, others)) == is_stopped
    store.tell(claim, ended("FAIL", "code_error"))


def never() -> CompletedCurves:
    raise AssertionError("rungs read no curves")


def test_there_is_no_limit_where_trials_of_several_kin_run(store: Store, tmp_path: Path) -> None:
    """Neither of the two lines would be that of all curves."""
    searched = {"objective": "image_classifier", "space": [SPACE[0], Toggle("ldam")]}
    worker = toy(store, tmp_path, fixed={"epochs": 20}, **searched)
    of_kin: dict[bool, list[Claim]] = {True: [], False: []}
    for place in range(30):
        claim = reach_two_rungs(worker, f"w{place}", 0.5)
        (row,) = store.trials_of("toy", [claim.number])
        if len(kin := of_kin[row.params["ldam"]]) < 3:  # few enough that all are drawn
            kin.append(claim)
        else:
            store.tell(claim, ended("FAIL", "code_error"))
        if min(map(len, of_kin.values())) == 3:
            break
    assert Looker(store).look().limit.places == ()
    for claim in of_kin[False]:
        store.tell(claim, ended("FAIL", "code_error"))
    assert Looker(store).look().limit.where == " at a rung (ldam=true)"


@pytest.mark.parametrize("changes", [{"pruning": Pruning("none")}, {"folds": 2}])
def test_there_is_no_limit_where_no_curve_is_pruned(
    store: Store, tmp_path: Path, changes: dict[str, Any]
) -> None:
    worker = toy(store, tmp_path, **changes)
    for _ in range(4):
        attempt(worker)
    found = Looker(store).look()
    assert (found.limit.places, len(found.best)) == ((), 4)
    assert {course.fold for course in found.best} == {2 if "folds" in changes else 0}


def test_a_curve_that_was_asked_for_stays(store: Store, tmp_path: Path) -> None:
    worker, looker = toy(store, tmp_path), Looker(store)
    for _ in range(7):
        attempt(worker)
    found = looker.look()
    best = {course.number for course in found.best}
    other = next(number for number in range(7) if number not in best)

    looker.reader.ask(other)
    looker.reader.ask(999)  # there is none
    assert looker.look().asked[other].number == other
    assert looker.look().asked.keys() == {other}


def test_of_many_trials_few_are_read_and_stand_for_all(store: Store, tmp_path: Path) -> None:
    worker = toy(store, tmp_path)
    attempt(worker)
    copy_first_trial(store, 1000)
    looker = Looker(store)
    snapshot = read_snapshot(store, "toy")
    epochs = len(store.epochs("toy", 0))
    with rows_sent(store) as sent:
        found = looker.reader.read(store, snapshot)
    assert MOST_SAMPLED / 2 < found.sampled <= MOST_SAMPLED
    assert max(sent) <= max(1001, 6 * MOST_SAMPLED, epochs * MOST_SAMPLED)
    band = found.bands["val_loss"]
    expected = np.array([row.metrics["val_loss"] for row in store.epochs("toy", 0)])
    assert band.low[-1] == band.high[-1] == expected[-1]


def test_of_many_running_trials_six_are_drawn_those_with_a_lease_first(
    store: Store, tmp_path: Path
) -> None:
    worker = toy(store, tmp_path)
    for place in range(MOST_RUNNING + 2):
        begin(worker, f"w{place}")
    with transaction(store.engine) as connection:  # the first two went silent
        connection.execute(
            text("""UPDATE search_service.attempts SET lease_seconds = 0
                     WHERE trial_id IN (SELECT trial_id FROM trials WHERE number < 2)""")
        )
    found = Looker(store).look()
    assert [course.number for course in found.running] == [2, 3, 4, 5, 6, 7]


def test_a_trial_of_thousands_of_epochs_is_read_thinned(store: Store, tmp_path: Path) -> None:
    worker, looker = toy(store, tmp_path), Looker(store)
    claim = begin(worker)
    record(worker, claim, 1.0)
    with transaction(store.engine) as connection:
        connection.execute(
            text("""INSERT INTO search_service.epochs
                           (trial_id, epoch, attempt, value, metrics, seconds, images)
                    SELECT trial_id, n, attempt, 1, json_build_object('val_loss', 1), 1, 1
                      FROM search_service.epochs, generate_series(2, 3000) n""")
        )
    with rows_sent(store) as sent:
        (course,) = looker.look().running
    assert max(sent) <= 200
    assert (course.epochs[0], course.epochs[-1], len(course.epochs)) == (1, 3000, 200)
