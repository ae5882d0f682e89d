"""A trial of folds on a real store: its value, its end, and when it is pruned or handed back."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import yaml

from objectives.contract import Attempt, EpochResult
from objectives.toy_curve import train
from search.cli import main
from search.exports.out import write_out
from search.exports.read import read_export
from search.exports.retrain import train_again
from search.exports.trial import as_yaml, export_trial
from search.exports.verify import compare
from search.seeds import training_seed
from search.worker.attempt import others_of
from search.worker.endings import Ending, Failed, Finished, HandedBack
from search.worker.loop import work
from search.worker.trial import Trial, run_trial
from search.worker.worker import Worker
from spaces.errors import StudyError
from spaces.study import Pruning
from storage.locks import wait_until
from storage.rows import EpochRow
from storage.store import Store
from tests.search.toy_worker import attempt, lease, make_worker

FOLDS = 5


def folded(store: Store, home: Path, **changes: Any) -> Worker:
    """A worker on a study of five folds of two epochs; a loss is at its best near a rate of .01."""
    declared = {"folds": FOLDS, "fixed": {"epochs": 2, "seconds_per_epoch": 0.0}, "trials": 4}
    return make_worker(store, home, **declared | changes)


def by_fold(store: Store, number: int = 0) -> dict[float, list[EpochRow]]:
    folds: dict[float, list[EpochRow]] = {}
    for row in store.epochs("toy", number):
        folds.setdefault(row.metrics["fold"], []).append(row)
    return folds


def enqueued(*rates: float) -> dict[str, Any]:
    """The first trial is of the range's own middle, .01; then come these."""
    return {"enqueue": [{"learning_rate": rate} for rate in rates]}


@pytest.mark.parametrize("value", ["best", "last"])
def test_a_trial_is_worth_the_mean_over_its_folds(store: Store, tmp_path: Path, value: str) -> None:
    # So much noise that the last epoch is not always the best one.
    fixed = {"epochs": 4, "seconds_per_epoch": 0.0, "noise": 0.5}

    outcome = attempt(folded(store, tmp_path, fixed=fixed, value=value))

    folds = [[row.value for row in rows] for rows in by_fold(store).values()]
    judged = [min(values) if value == "best" else values[-1] for values in folds]
    assert isinstance(outcome, Finished)
    assert [len(values) for values in folds] == [4] * FOLDS
    assert store.trials("toy")[0].value == outcome.value == pytest.approx(fmean(judged))
    assert judged != [values[-1] if value == "best" else min(values) for values in folds]


def test_every_epoch_of_every_fold_is_recorded_under_a_number_of_its_own(
    store: Store, tmp_path: Path
) -> None:
    attempt(folded(store, tmp_path))

    epochs = store.epochs("toy", 0)
    assert [row.epoch for row in epochs] == list(range(1, 11))
    assert list(store.optuna_study("toy").trials[0].intermediate_values) == list(range(1, 11))


def test_a_much_worse_trial_is_stopped_where_its_third_fold_ends(
    store: Store, tmp_path: Path
) -> None:
    work(folded(store, tmp_path, trials=2, **enqueued(1.0)))

    good, bad = store.trials("toy")
    assert (good.outcome, bad.outcome) == ("finished", "pruned")
    assert bad.last
    assert (bad.last.epoch, bad.last.metrics["folds_done"]) == (6, 3)


def test_a_trial_that_is_equal_to_the_best_one_goes_on(store: Store, tmp_path: Path) -> None:
    quiet = {"epochs": 2, "seconds_per_epoch": 0.0, "noise": 0.0}

    work(folded(store, tmp_path, trials=3, fixed=quiet, **enqueued(0.01, 0.01)))

    assert [row.outcome for row in store.trials("toy")] == ["finished"] * 3


def test_nothing_is_pruned_before_another_trial_has_completed(store: Store, tmp_path: Path) -> None:
    worker = folded(store, tmp_path, trials=2, pins={"learning_rate": 1.0}, space=[])
    assert isinstance(attempt(worker), Finished)


def test_a_study_that_prunes_nothing_trains_all_folds(store: Store, tmp_path: Path) -> None:
    work(folded(store, tmp_path, trials=2, pruning=Pruning("none"), **enqueued(1.0)))

    assert [row.outcome for row in store.trials("toy")] == ["finished"] * 2


def test_a_worker_stops_exactly_at_the_budget_of_trials(store: Store, tmp_path: Path) -> None:
    assert work(folded(store, tmp_path, trials=3)) == 0
    assert len(store.trials("toy")) == 3


def test_an_exploded_loss_is_measured_from_the_first_epoch_of_its_fold(
    store: Store, tmp_path: Path
) -> None:
    # 5,000 is 25 times what the first fold began with, and where the second one began.
    losses = [200.0, 1.0, 5000.0, 4000.0, 30.0, 1.0]

    outcome = run_scripted(store, tmp_path, losses)

    assert isinstance(outcome, Finished)


def test_a_trial_whose_folds_stop_early_is_done_after_the_last_one_and_not_drained(
    store: Store, tmp_path: Path
) -> None:
    # Two epochs of ten per fold: epoch 6 of what could be 30 is the last.
    outcome = run_scripted(store, tmp_path, [0.9, 0.5, 0.8, 0.6, 0.7, 0.4], drain_at=6)

    assert isinstance(outcome, Finished)
    assert outcome.epochs == (2, 4, 6)
    assert outcome.value == pytest.approx(0.5)


@pytest.mark.parametrize("epoch", [3, 4, 5])
def test_a_trial_is_drained_between_and_within_folds(
    store: Store, tmp_path: Path, epoch: int
) -> None:
    outcome = run_scripted(store, tmp_path, [0.9, 0.5, 0.8, 0.6, 0.7, 0.4], drain_at=epoch)

    assert outcome == HandedBack("drained")
    assert len(store.epochs("toy", 0)) == epoch


def test_a_trial_that_ends_before_its_last_fold_is_a_failure_with_the_fix(
    store: Store, tmp_path: Path
) -> None:
    outcome = run_scripted(store, tmp_path, [0.9, 0.5, 0.8, 0.6])

    assert isinstance(outcome, Failed)
    assert "after 2 of 3 folds; let it train all of them" in outcome.detail


@pytest.mark.slow
def test_a_killed_trial_goes_on_within_its_fold_as_if_undisturbed(
    store: Store, database_url: str, tmp_path: Path
) -> None:
    worker = folded(store, tmp_path, trials=1, fixed=SLOW)
    place = {"SEARCH_HOME": str(tmp_path), "SEARCH_DATABASE_URL": database_url}
    command = [sys.executable, "-P", "-m", "search.cli", "worker", "--study", "toy"]
    killed = subprocess.Popen(command, env={**os.environ, **place})
    wait_until(lambda: killed.poll() is not None or len(store.epochs("toy", 0)) >= 9, 60)
    killed.kill()
    killed.wait()
    store.end_leases(store.attempts("toy", 0)[0].worker, "killed")

    assert isinstance(attempt(worker), Finished)

    trial, epochs = store.trials("toy")[0], store.epochs("toy", 0)
    data, seed = worker.data, training_seed(worker.study.seed, 0)
    undisturbed = train(
        worker.stored.config(trial.params), Attempt(folder=tmp_path, data=data, seed=seed)
    )
    assert [row.metrics for row in epochs] == [result.metrics for result in undisturbed]
    assert {row.attempt for row in epochs if row.metrics["fold"] == 3} == {1, 2}


@pytest.mark.parametrize("value", ["best", "last"])
def test_an_export_has_each_folds_epoch_and_training_it_again_gives_every_number(
    store: Store, tmp_path: Path, value: str
) -> None:
    attempt(folded(store, tmp_path, value=value, fixed={"epochs": 3, "noise": 0.3}))

    exported = export_trial(store, "toy", "best")
    write_out(tmp_path / "best.yaml", as_yaml(exported))
    read = read_export(tmp_path / "best.yaml")
    results = train_again(read, tmp_path / "again", None, "cpu")
    again = {result.epoch: dict(result.metrics) for result in results}

    each = exported.value_epochs
    assert [epoch.metrics["fold"] for epoch in each] == [1, 2, 3, 4, 5]
    assert exported.value.value == fmean(epoch.metrics["val_loss"] for epoch in each)
    assert compare(read, again, exactly=True) == []
    again[each[3].epoch]["val_loss"] += 1e-9
    wheres = [difference.where for difference in compare(read, again, exactly=True)]
    numbers = ", ".join(str(epoch.epoch) for epoch in each)
    assert wheres == [f"the mean of epochs {numbers}", f"epoch {each[3].epoch}"]


def test_a_pruned_trial_of_folds_is_exported_with_the_folds_it_has(
    store: Store, tmp_path: Path
) -> None:
    work(folded(store, tmp_path, trials=2, **enqueued(1.0)))

    exported = export_trial(store, "toy", "1")
    write_out(tmp_path / "one.yaml", as_yaml(exported))

    assert len(exported.value_epochs) == 3
    assert exported.value.value is None
    assert read_export(tmp_path / "one.yaml") == exported


def test_the_command_that_exports_says_over_how_many_folds(
    store: Store,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    attempt(folded(store, tmp_path))
    monkeypatch.setenv("SEARCH_HOME", str(tmp_path))
    monkeypatch.setenv("SEARCH_DATABASE_URL", database_url)

    assert main(["export", "--study", "toy", "--out", str(tmp_path / "best.yaml")]) == 0

    value = store.trials("toy")[0].value
    assert f"val_loss {value:.4g} over 5 folds" in capsys.readouterr().err


def test_an_export_whose_folds_do_not_fit_together_is_refused(store: Store, tmp_path: Path) -> None:
    attempt(folded(store, tmp_path))
    exported = export_trial(store, "toy", "best")
    write_out(tmp_path / "best.yaml", as_yaml(exported))
    plain = yaml.safe_load((tmp_path / "best.yaml").read_text())
    del plain["metrics"]["value_epochs"][1]
    (tmp_path / "best.yaml").write_text(yaml.safe_dump(plain))

    with pytest.raises(StudyError, match=r"'value\.epochs'; export the trial again"):
        read_export(tmp_path / "best.yaml")


SLOW = {"epochs": 4, "seconds_per_epoch": 0.3}


def run_scripted(store: Store, home: Path, losses: Sequence[float], drain_at: int = 0) -> Ending:
    """Run a trial whose three folds stop early, each after two epochs with these losses."""
    fixed = {"epochs": 10, "seconds_per_epoch": 0.0}
    worker = folded(store, home, folds=3, fixed=fixed)
    leased = lease(worker)
    trial = Trial(leased=leased, config=worker.stored.config({}), others=others_of(leased))

    def objective(config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
        for epoch, loss in enumerate(losses, start=1):
            place = {"fold": (epoch + 1) // 2, "folds_done": epoch // 2}
            metrics = {"val_loss": loss, "train_loss": loss, **place}
            if epoch == drain_at:
                worker.flag.drain()
            yield EpochResult(epoch=epoch, metrics=metrics, seconds=0.0, images=1)

    return run_trial(trial, objective, Attempt(folder=home, data=worker.data))
