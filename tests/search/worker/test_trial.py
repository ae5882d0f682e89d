"""A trial from its claim to its outcome, on a real store with the toy objective."""

import logging
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from optuna.distributions import FloatDistribution

from search.errors import StudyBroken
from search.worker.attempt import attempt_trial
from search.worker.endings import Failed, Finished, HandedBack, Lost
from search.worker.loop import work
from search.worker.settle import settle
from spaces.study import Pruning
from storage.store import Store
from tests.search.toy_worker import attempt, lease, make_worker
from tests.storage.samples import new_worker, stock_study


def test_a_trial_that_goes_through_is_worth_its_best_epoch(store: Store, tmp_path: Path) -> None:
    outcome = attempt(make_worker(store, tmp_path))

    row, epochs = store.trials("toy")[0], store.epochs("toy", 0)
    assert isinstance(outcome, Finished)
    assert (row.state, row.outcome) == ("COMPLETE", "finished")
    assert row.value == outcome.value == min(epoch.value for epoch in epochs)
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3, 4, 5]


def test_a_study_may_declare_the_last_epoch_as_the_value(store: Store, tmp_path: Path) -> None:
    outcome = attempt(make_worker(store, tmp_path, value="last"))

    assert isinstance(outcome, Finished)
    assert outcome.epochs == (5,)


def test_an_exception_is_a_failure_with_its_traceback_kept(store: Store, tmp_path: Path) -> None:
    fixed = {"epochs": 5, "seconds_per_epoch": 0.0, "fail_at": 3}

    outcome = attempt(make_worker(store, tmp_path, fixed=fixed))

    row = store.trials("toy")[0]
    assert isinstance(outcome, Failed)
    assert (row.state, row.outcome, row.value) == ("FAIL", "code_error", None)
    kept = [path.read_text() for path in (tmp_path / "artifacts").iterdir()]
    assert any("Traceback" in text and "toy_curve.py" in text for text in kept)


def test_a_loss_that_is_not_finite_is_diverged_and_never_a_value(
    store: Store, tmp_path: Path
) -> None:
    fixed = {"epochs": 5, "seconds_per_epoch": 0.0, "diverge_at": 2}

    attempt(make_worker(store, tmp_path, fixed=fixed))

    row = store.trials("toy")[0]
    assert (row.state, row.outcome, row.value) == ("PRUNED", "diverged", None)


def test_a_drained_trial_goes_on_with_its_values_and_its_curve(
    store: Store, tmp_path: Path
) -> None:
    worker = make_worker(store, tmp_path)
    worker.flag.drain()
    handed_back = attempt(worker)
    before = store.trials("toy")[0]
    again = make_worker(store, tmp_path)

    outcome = attempt(again)

    after = store.trials("toy")[0]
    assert isinstance(handed_back, HandedBack)
    assert isinstance(outcome, Finished)
    assert (after.number, after.params, after.attempts) == (0, before.params, 2)
    assert [epoch.attempt for epoch in store.epochs("toy", 0)] == [1, 2, 2, 2, 2]


def test_a_checkpoint_of_another_study_of_this_name_is_not_continued(
    store: Store, tmp_path: Path
) -> None:
    """The old one was deleted on another machine, which cannot remove this machine's files."""
    old = make_worker(store, tmp_path)
    old.flag.drain()
    attempt(old)
    (begun,) = store.epochs("toy", 0)
    store.delete("toy")
    new = replace(make_worker(store, tmp_path, seed=7), name="v")
    store.register_worker("toy", new_worker("v"))

    attempt(new)

    assert store.epochs("toy", 0)[0].value != begun.value


def test_an_attempt_that_lost_its_lease_writes_nothing_more(store: Store, tmp_path: Path) -> None:
    worker = make_worker(store, tmp_path)
    leased = lease(worker)
    store.end_leases("w", "killed")

    settled = attempt_trial(leased)
    settle(leased, settled)

    assert isinstance(settled.ending, Lost)
    assert store.epochs("toy", 0) == []
    assert store.trials("toy")[0].state == "RUNNING"


def test_a_worker_stops_exactly_at_the_budget(store: Store, tmp_path: Path) -> None:
    worker = make_worker(store, tmp_path)

    assert work(worker) == 0

    assert len(store.trials("toy")) == 4
    assert all(row.state in ("COMPLETE", "PRUNED") for row in store.trials("toy"))


def test_a_worker_that_finds_nothing_to_do_says_why(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store.request_stop(make_worker(store, tmp_path).study.name, "drain")

    with caplog.at_level(logging.INFO):
        assert work(make_worker(store, tmp_path)) == 75

    assert "`search run --study toy` goes on with it" in caplog.text


def test_a_hopeless_trial_is_pruned_where_its_curve_says_so(store: Store, tmp_path: Path) -> None:
    worker = make_worker(store, tmp_path, trials=20)

    work(worker)

    pruned = [row for row in store.trials("toy") if row.outcome == "pruned"]
    assert pruned
    assert all(row.last and 2 <= row.last.epoch < 5 for row in pruned)


def test_only_the_best_trials_keep_files(store: Store, tmp_path: Path) -> None:
    worker = make_worker(store, tmp_path, trials=8)

    work(worker)

    folders = sorted((tmp_path / "studies" / "toy" / "trials").iterdir())
    values = {row.number: row.value for row in store.trials("toy") if row.value is not None}
    best = sorted(values, key=values.__getitem__)[:3]
    assert {folder.name for folder in folders} == set(map(str, best))
    assert not list(tmp_path.rglob("*.ckpt"))


def test_a_study_whose_code_is_broken_stops_after_three_trials(
    store: Store, tmp_path: Path
) -> None:
    fixed = {"epochs": 5, "seconds_per_epoch": 0.0, "fail_at": 1}
    worker = make_worker(store, tmp_path, fixed=fixed, trials=10)

    with pytest.raises(StudyBroken, match=r"toy_curve\.py:\d+"):
        work(worker)

    assert [row.outcome for row in store.trials("toy")] == ["code_error"] * 3


def test_a_worker_asked_twice_hands_the_trial_back_within_the_epoch(
    store: Store, tmp_path: Path
) -> None:
    worker = make_worker(store, tmp_path)
    worker.flag.drain()
    worker.flag.now = True

    outcome = attempt(worker)

    row = store.trials("toy")[0]
    assert isinstance(outcome, HandedBack)
    assert (row.state, row.is_leased, row.last) == ("RUNNING", False, None)
    assert work(worker) == 130


def test_stop_now_reaches_a_worker_between_two_epochs(store: Store, tmp_path: Path) -> None:
    worker = make_worker(store, tmp_path, fixed={"epochs": 2, "seconds_per_epoch": 10.0})
    worker = replace(worker, settings=replace(worker.settings, beat_seconds=0.05))
    leased = lease(worker)
    store.request_stop("toy", "now")

    settled = attempt_trial(leased)

    assert isinstance(settled.ending, HandedBack)
    assert store.epochs("toy") == []


def test_trials_that_another_program_added_are_no_curves_to_prune_by(
    store: Store, tmp_path: Path
) -> None:
    worker = make_worker(store, tmp_path, trials=9, pruning=Pruning("median", startup_trials=1))
    study = stock_study(store)
    x, rate = FloatDistribution(0, 2), FloatDistribution(1e-5, 100, log=True)
    for params, space in (
        ({}, {}),
        ({"x": 1.0}, {"x": x}),
        ({"learning_rate": 0.1, "x": 1.0}, {"learning_rate": rate, "x": x}),
        ({"learning_rate": 50.0}, {"learning_rate": rate}),
    ):
        early = {1: 0.0, 2: 0.0}
        study.add_trial(
            optuna.create_trial(
                params=params, distributions=space, value=0.0, intermediate_values=early
            )
        )
    assert isinstance(attempt(worker), Finished)
