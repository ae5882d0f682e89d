"""A trial of code that does not repeat itself: which epochs count, and what it may not report."""

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from objectives.contract import Attempt, EpochResult, Objective
from objectives.own.journal import journaled
from search.worker.attempt import others_of
from search.worker.endings import Ending, Failed, Finished, HandedBack, Pruned, Settled
from search.worker.settle import settle
from search.worker.trial import Trial, run_trial
from search.worker.worker import Worker
from spaces.study import Pruning
from storage.rows import EpochRow
from storage.store import Store
from tests.search.toy_worker import lease, make_worker

Reported = Mapping[str, Any] | float


@pytest.fixture(autouse=True)
def own_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Study code is not deterministic."""
    monkeypatch.setattr(Worker, "is_deterministic", False)


def reporting(*epochs: Reported, first: int = 1, end: Exception | None = None) -> Objective:
    """Code that reports these values of the study's metric, or these metrics."""

    def train(config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
        for epoch, each in enumerate(epochs, start=first):
            metrics = each if isinstance(each, Mapping) else {"val_loss": each}
            yield EpochResult(epoch=epoch, metrics=metrics, seconds=1.0, images=10)
        if end:
            raise end

    return train


class Death(BaseException):
    """The end of a process, which no code that follows the trial sees."""


def dying(objective: Objective) -> Objective:
    """Code whose worker dies after its last epoch."""

    def train(config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
        yield from objective(config, attempt)
        raise Death

    return train


def toy(store: Store, home: Path, **changes: Any) -> Worker:
    return make_worker(store, home, **{"pruning": Pruning("none")} | changes)


def tried(worker: Worker, objective: Objective, **changes: Any) -> Ending | None:
    """Let an attempt follow the code to its ending; None for one whose worker died."""
    leased = lease(worker)
    leased.folder.mkdir(parents=True)
    with worker.store.trial(leased.claim) as drawn:
        config = worker.stored.config(worker.study.space.suggest(drawn))
    trial = Trial(leased=leased, config=config, others=others_of(leased))
    folders = [
        worker.settings.attempt_folder("toy", row.number, row.attempt, row.worker)
        for row in worker.store.attempts("toy", leased.claim.number)
    ]
    given = {"folder": leased.folder, "data": worker.data, "earlier": tuple(folders[:-1])}
    try:
        ending = run_trial(trial, objective, Attempt(**given | changes))
    except Death:
        worker.store.end_leases("w", "stopped")
        return None
    settle(leased, Settled(ending, trial.config, trial.epochs))
    return ending


def curve(rows: list[EpochRow]) -> list[tuple[int, int, float]]:
    return [(row.epoch, row.attempt, row.value) for row in rows]


def test_a_trial_that_starts_over_is_worth_its_newest_curve(store: Store, tmp_path: Path) -> None:
    worker = toy(store, tmp_path)
    tried(worker, dying(reporting(0.9, 0.1, 0.7, 0.6)))
    ending = tried(worker, reporting(0.8, 0.5, 0.4, 0.6, 0.45))
    assert ending == Finished(0.4, (3,))
    now = [(1, 2, 0.8), (2, 2, 0.5), (3, 2, 0.4), (4, 2, 0.6), (5, 2, 0.45)]
    assert curve(store.epochs("toy", 0)) == now
    assert [row.epoch for row in store.replaced_epochs("toy", 0)] == [1, 2, 3, 4]
    (trial,) = store.optuna_study("toy").trials
    assert trial.intermediate_values == {epoch: value for epoch, _, value in now}
    assert trial.value == 0.4


def test_code_that_goes_on_has_its_earlier_epochs_from_the_database(
    store: Store, tmp_path: Path
) -> None:
    worker = toy(store, tmp_path)
    tried(worker, dying(reporting(0.9, 0.1, 0.7)))
    assert tried(worker, reporting(0.5, 0.4, 0.3, first=3)) == Finished(0.1, (2,))
    attempts = [(1, 1), (2, 1), (3, 2), (4, 2), (5, 2)]
    assert [(row.epoch, row.attempt) for row in store.epochs("toy", 0)] == attempts


def test_code_with_nothing_left_to_train_has_finished(store: Store, tmp_path: Path) -> None:
    worker = toy(store, tmp_path)
    tried(worker, dying(reporting(0.9, 0.1, 0.7)))
    assert tried(worker, reporting()) == Finished(0.1, (2,))


def test_epochs_that_only_the_journal_has_are_written_by_the_next_attempt(
    store: Store, tmp_path: Path
) -> None:
    worker = toy(store, tmp_path)
    tried(worker, dying(journaled(reporting(0.9, 0.1, 0.7))))
    with store.engine.begin() as connection:  # as if the database had been away since epoch 1
        connection.exec_driver_sql("DELETE FROM search_service.epochs WHERE epoch > 1")
    assert tried(worker, journaled(reporting(0.6, 0.5, first=4))) == Finished(0.1, (2,))
    values = [(1, 0.9), (2, 0.1), (3, 0.7), (4, 0.6), (5, 0.5)]
    assert [(row.epoch, row.value) for row in store.epochs("toy", 0)] == values


@pytest.mark.parametrize("wrapped", [journaled, lambda code: code], ids=["journal", "database"])
def test_what_is_recorded_is_not_sent_again(
    store: Store, tmp_path: Path, wrapped: Callable[[Objective], Objective]
) -> None:
    worker, sent = toy(store, tmp_path), list[str]()
    odd = {"val_loss": 0.1, "of_my_own": math.nan}
    tried(worker, dying(wrapped(reporting(0.9, odd, 0.7))))
    event.listen(store.engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
    tried(worker, wrapped(reporting(0.6, 0.5, first=4)))
    assert sum("INSERT INTO search_service.epochs" in statement for statement in sent) == 2


def test_a_course_that_differs_in_one_epoch_is_written_from_there_on(
    store: Store, tmp_path: Path
) -> None:
    """Code goes on from the files of attempt 1, whose epochs 2 and 3 were replaced."""
    worker = toy(store, tmp_path)
    tried(worker, dying(journaled(reporting(0.9, 0.8, 0.7))))
    tried(worker, dying(journaled(reporting(0.9, 0.1, 0.7))))
    (first,) = (tmp_path / "studies" / "toy" / "trials" / "0").glob("attempt-1-*")
    tried(worker, journaled(reporting(0.6, 0.5, first=4)), resume_from=first)
    now = [(1, 1, 0.9), (2, 3, 0.8), (3, 3, 0.7), (4, 3, 0.6), (5, 3, 0.5)]
    assert curve(store.epochs("toy", 0)) == now


def saving(*, until: int) -> Objective:
    """Code that saves each epoch, then reports it; it dies after it has saved the last one."""

    def train(config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
        saved = attempt.resume_from and (attempt.resume_from / "saved").read_text()
        for epoch in range(int(saved or 0) + 1, 6):
            (attempt.folder / "saved").write_text(str(epoch))
            if epoch == until:
                raise Death
            yield EpochResult(epoch=epoch, metrics={"val_loss": 1 / epoch + attempt.seed})

    return journaled(train)


def test_code_killed_between_its_checkpoint_and_its_report_goes_on_from_older_files(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Attempt 2 saved epoch 4, whose numbers nobody has; attempt 1 saved epoch 2."""
    worker = toy(store, tmp_path)
    first, second = (worker.settings.attempt_folder("toy", 0, attempt, "w") for attempt in (1, 2))
    tried(worker, dying(reporting(0.5, 0.25)))
    (first / "saved").write_text("2")
    tried(worker, saving(until=4), resume_from=first)

    assert tried(worker, saving(until=9), resume_from=second) == Finished(0.2, (5,))

    assert "trial 0 goes back: it goes on at epoch 5, and 3 before it are known" in caplog.text
    attempts = [(1, 1), (2, 1), (3, 2), (4, 3), (5, 3)]
    assert [(row.epoch, row.attempt) for row in store.epochs("toy", 0)] == attempts


def test_code_killed_between_its_first_checkpoint_and_its_report_starts_over(
    store: Store, tmp_path: Path
) -> None:
    worker = toy(store, tmp_path)
    tried(worker, saving(until=3))
    first = worker.settings.attempt_folder("toy", 0, 1, "w")
    assert tried(worker, saving(until=9), resume_from=first) == Finished(0.2, (5,))
    assert [row.epoch for row in store.epochs("toy", 0)] == [1, 2, 3, 4, 5]


def test_a_trial_that_ends_earlier_than_before_keeps_that_curve(
    store: Store, tmp_path: Path
) -> None:
    worker = toy(store, tmp_path)
    tried(worker, dying(reporting(0.9, 0.8, 0.1)))
    assert tried(worker, reporting(0.9, 0.8)) == Finished(0.8, (2,))
    assert [row.epoch for row in store.epochs("toy", 0)] == [1, 2]


def test_an_epoch_without_the_studys_metric_ends_its_trial_in_one_line(
    store: Store, tmp_path: Path
) -> None:
    tried(toy(store, tmp_path), reporting(0.9, {"acc": 0.5, "loss": 0.7}, 0.8))
    (trial,) = store.trials("toy")
    assert (trial.outcome, trial.where) == ("code_error", "the objective's results")
    assert trial.detail == (
        "epoch 2 reported acc, loss, not val_loss; name one of them as the study's metric or report"
        " val_loss"
    )


def test_code_without_an_epoch_ends_its_trial_in_one_line(store: Store, tmp_path: Path) -> None:
    tried(toy(store, tmp_path), reporting())
    assert store.trials("toy")[0].detail == "the objective ended without an epoch; let it yield one"


@pytest.mark.parametrize(
    ("metrics", "way"),
    [
        ({"val_loss": math.nan}, "diverged"),
        ({"val_loss": 0.1, "train_loss": math.inf}, "diverged"),
        ({"val_loss": 0.1, "of_my_own": math.nan}, "finished"),
    ],
)
def test_a_metric_that_is_not_finite_diverged_where_it_is_the_studys_or_a_known_loss(
    store: Store, tmp_path: Path, metrics: Mapping[str, float], way: str
) -> None:
    tried(toy(store, tmp_path), reporting(0.9, metrics, 0.8, 0.7, 0.6))
    assert store.trials("toy")[0].outcome == way


def test_a_metric_that_nobody_knows_may_grow_as_it_likes(store: Store, tmp_path: Path) -> None:
    worker = toy(store, tmp_path, metric="reward", direction="maximize")
    epochs = [{"reward": value} for value in (1.0, 5000.0, 9e9)]
    assert tried(worker, reporting(*epochs)) == Finished(9e9, (3,))
    assert isinstance(tried(worker, reporting({"reward": math.inf})), Failed)


def test_what_an_earlier_attempt_was_judged_at_is_not_judged_again(
    store: Store, tmp_path: Path
) -> None:
    worker = toy(store, tmp_path, pruning=Pruning("median", startup_trials=1, first_epoch=2))
    tried(worker, reporting(0.5, 0.5, 0.5, 0.5, 0.5))
    tried(worker, dying(reporting(0.4, 0.4, 0.4)))  # better than the median until then
    tried(worker, dying(reporting(0.9)))  # the replaced epochs count as judged
    ending = tried(worker, reporting(0.9, 0.8, 0.7, 0.6, 0.55))
    assert isinstance(ending, Pruned)
    assert ending.epoch == 3
    assert [row.epoch for row in store.epochs("toy", 1)] == [1, 2, 3]


def test_a_broken_number_in_a_repeated_epoch_ends_the_trial_at_once(
    store: Store, tmp_path: Path
) -> None:
    worker = toy(store, tmp_path)
    tried(worker, dying(reporting(0.9, 0.8, 0.7)))
    ending = tried(worker, reporting(0.9, math.nan, 0.7))
    assert isinstance(ending, Failed)
    assert ending.outcome == "diverged"


def test_code_that_starts_over_is_drained_after_the_epoch_in_flight(
    store: Store, tmp_path: Path
) -> None:
    worker = toy(store, tmp_path)
    tried(worker, dying(reporting(0.9, 0.8, 0.7)))
    worker.flag.drain()
    assert isinstance(tried(worker, reporting(0.6, 0.5)), HandedBack)
    assert curve(store.epochs("toy", 0)) == [(1, 2, 0.6)]


def test_a_drain_reaches_code_that_goes_on_after_its_new_epoch(
    store: Store, tmp_path: Path
) -> None:
    worker = toy(store, tmp_path)
    tried(worker, dying(journaled(reporting(0.9, 0.8))))
    worker.flag.drain()
    assert isinstance(tried(worker, journaled(reporting(0.7, 0.6, first=3))), HandedBack)
    assert curve(store.epochs("toy", 0)) == [(1, 1, 0.9), (2, 1, 0.8), (3, 2, 0.7)]
