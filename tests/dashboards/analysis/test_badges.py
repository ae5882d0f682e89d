"""The badges of a trial's curve, and the places that show them."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from dashboards.analysis.badges import badges
from dashboards.analysis.frame import read_frame
from search.exports.trial import export_trial
from search.terminal.status import print_status
from search.terminal.summary import summary
from search.worker.endings import Failed, Finished
from storage.rows import EpochRow, Outcome
from storage.store import Store
from tests.search.toy_worker import end, lease, make_worker

NOW = datetime(2030, 1, 1, tzinfo=UTC)
CONFIG = {"learning_rate": 0.01, "batch_size": 64, "frozen_epochs": 0}
FALLING = [1.0, 0.8, 0.6, 0.4, 0.2, 0.1]


def frozen(epochs: int) -> dict[str, Any]:
    return {**CONFIG, "frozen_epochs": epochs}


def epochs(val_loss: list[float], train_loss: list[float], **others: list[float]) -> list[EpochRow]:
    courses = {"val_loss": val_loss, "train_loss": train_loss, **others}
    numbers = [dict(zip(courses, values, strict=True)) for values in zip(*courses.values())]  # noqa: B905
    return [
        EpochRow(
            number=0,
            epoch=epoch,
            attempt=1,
            value=metrics["val_loss"],
            metrics=metrics,
            seconds=1.0,
            images=10,
            recorded_at=NOW,
        )
        for epoch, metrics in enumerate(numbers, start=1)
    ]


def test_a_loss_that_rises_while_training_goes_on_overfits_after_its_best_epoch() -> None:
    rows = epochs([0.9, 0.7, 0.5, 0.6, 0.7, 0.8], FALLING)
    assert badges(CONFIG, "finished", rows) == ("overfits after epoch 3",)


@pytest.mark.parametrize(
    ("val_loss", "train_loss"),
    [
        ([0.9, 0.7, 0.6, 0.5, 0.45, 0.4], FALLING),  # best at its end
        ([0.9, 0.7, 0.5, 0.52, 0.54, 0.54], FALLING),  # within a tenth
        ([0.9, 0.7, 0.01, 0.02, 0.02, 0.02], FALLING),  # twice as much of nothing
        ([0.9, 0.7, 0.6, 0.55, 0.5, 0.8], FALLING),  # one bad epoch
        ([0.9, 0.7, 0.5, 0.8, 0.8, 0.51], FALLING),  # came back
        ([0.9, 0.7, 0.5, 0.6, 0.7, 0.8], [1.0, 0.8, 0.6, 0.7, 0.8, 0.9]),  # training broke
    ],
)
def test_what_does_not_overfit_is_not_said_to(
    val_loss: list[float], train_loss: list[float]
) -> None:
    assert badges(CONFIG, "finished", epochs(val_loss, train_loss)) == ()


def test_a_trial_that_was_best_while_frozen_was_never_helped_by_fine_tuning() -> None:
    # The published case: 0.092 with the frozen network, then ever worse.
    rows = epochs([0.2, 0.092, 10.6, 6.9, 32.7], FALLING[:5])
    assert badges(frozen(2), "finished", rows) == ("fine-tuning never helped",)


@pytest.mark.parametrize(
    ("val_loss", "frozen_epochs"),
    [([0.5, 0.4, 0.6, 0.3], 2), ([0.5, 0.4], 2), ([0.4, 0.5, 0.6, 0.3], 0)],
)
def test_fine_tuning_that_helped_or_was_not_tried_is_left_alone(
    val_loss: list[float], frozen_epochs: int
) -> None:
    rows = epochs(val_loss, FALLING[: len(val_loss)])
    assert badges(frozen(frozen_epochs), "finished", rows) == ()


def test_never_is_not_said_of_a_trial_that_still_runs() -> None:
    rows = epochs([0.2, 0.092, 10.6], FALLING[:3])
    assert badges(frozen(2), None, rows) == ()


def test_a_diverged_trial_has_no_other_badge() -> None:
    rows = epochs([0.5, 0.4, 0.9, float("nan")], FALLING[:4])
    assert badges(CONFIG, "diverged", rows) == ("diverged",)


def test_a_batch_that_memory_did_not_hold_is_shown_with_its_smallest_part() -> None:
    whole, halved = [64.0] * 3, [64.0, 32.0, 16.0]
    rows = epochs(FALLING[:3], FALLING[:3], micro_batch=halved)
    assert badges(CONFIG, "finished", rows) == ("in parts of 16",)
    rows = epochs(FALLING[:3], FALLING[:3], micro_batch=whole)
    assert badges(CONFIG, "finished", rows) == ()


def test_an_objective_with_other_metrics_earns_none() -> None:
    rows = [replace(row, metrics={"score": row.value}) for row in epochs(FALLING[::-1], FALLING)]
    assert badges(CONFIG, "finished", rows) == ()
    assert badges({}, None, []) == ()


def test_folds_are_judged_one_by_one_and_told_in_numbers() -> None:
    rose, fell = [0.9, 0.5, 0.7, 0.8], [0.9, 0.5, 0.4, 0.3]
    rows = epochs(rose + fell + rose, FALLING[:4] * 3, fold=[1.0] * 4 + [2.0] * 4 + [3.0] * 4)
    assert badges(CONFIG, "finished", rows) == ("overfits in 2 of 3 folds",)
    # A fold that begins above where the one before ended has not risen.
    rows = epochs(fell * 2, FALLING[:4] * 2, fold=[1.0] * 4 + [2.0] * 4)
    assert badges(CONFIG, "finished", rows) == ()


def test_fine_tuning_is_looked_for_within_each_fold() -> None:
    never, helped = [0.2, 0.1, 0.5], [0.3, 0.2, 0.1]
    rows = epochs(helped + never, FALLING[:3] * 2, fold=[1.0] * 3 + [2.0] * 3)
    assert badges(frozen(2), "finished", rows) == ("fine-tuning never helped in 1 of 2 folds",)


@pytest.fixture
def told(store: Store, tmp_path: Path) -> Store:
    """A study whose best trial overfitted, whose second diverged, and whose third is as it was."""
    worker = make_worker(store, tmp_path)
    risen = epochs([0.9, 0.7, 0.5, 0.6, 0.7], FALLING[:5])
    for rows, ending in (
        (risen, Finished(0.5, (3,))),
        (risen[:2], Failed(outcome=Outcome.DIVERGED, detail="val_loss is nan at epoch 2")),
        (risen[:2], Finished(0.7, (2,))),
    ):
        leased = lease(worker)
        leased.folder.mkdir(parents=True)
        for row in rows:
            store.record(
                leased.claim,
                row.epoch,
                row.metrics,
                row.value,
                seconds=row.seconds,
                images=row.images,
            )
        end(leased, ending)
    return store


def test_status_has_a_column_of_badges_where_there_are_any(told: Store) -> None:
    lines = status_of(told, as_json=False).splitlines()
    assert any(line.startswith(" trial") and line.rstrip().endswith("badges") for line in lines)
    assert sum("overfits after epoch 3" in line for line in lines) == 1


def test_status_has_no_column_of_badges_where_there_are_none(store: Store, tmp_path: Path) -> None:
    make_worker(store, tmp_path)
    assert "badges" not in status_of(store, as_json=False)


def test_programs_read_the_badges_of_every_trial(told: Store) -> None:
    trials = json.loads(status_of(told, as_json=True))["trials"]
    assert [trial["badges"] for trial in trials] == [["overfits after epoch 3"], ["diverged"], []]


def test_the_last_words_of_a_run_name_the_badges_of_its_best_trial(told: Store) -> None:
    lines = list(summary(read_frame(told, "toy"), workers=1))
    assert lines[3] == "  overfits after epoch 3"


def test_an_export_has_its_trials_badges(told: Store) -> None:
    assert export_trial(told, "toy", "best").badges == ("overfits after epoch 3",)
    assert export_trial(told, "toy", "2").badges == ()


def test_the_dashboard_shows_the_badges_beside_the_trial(told: Store) -> None:
    shown = [trial.user_attrs for trial in told.optuna_study("toy").trials]
    assert shown == [{"badges": "overfits after epoch 3"}, {"badges": "diverged"}, {}]


def status_of(store: Store, *, as_json: bool) -> str:
    console = Console(file=io.StringIO(), width=200)
    with console.capture() as capture:
        print_status(store, "toy", as_json=as_json, console=console)
    return capture.get()


def test_parts_that_the_study_asked_for_are_no_news() -> None:
    rows = epochs([0.9, 0.8], [1.0, 0.9], micro_batch=[16.0, 16.0])
    assert badges(CONFIG, "finished", rows) == ("in parts of 16",)
    assert badges({**CONFIG, "micro_batch": 16}, "finished", rows) == ()
