"""A trial that goes on in another home, as on another machine, from what was shared."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from search.outcomes import Finished, HandedBack
from search.worker import Worker
from spaces.study import Pruning
from storage.store import Claim, Store
from tests.search.toy_worker import attempt, make_worker


@pytest.fixture
def elsewhere(store: Store, tmp_path: Path) -> Callable[[str], Worker]:
    """Gives a worker with a home of its own; all share one folder of artifacts."""
    worker = make_worker(store, tmp_path, trials=3, keep=1, pruning=Pruning("none"))

    def elsewhere(home: str) -> Worker:
        shared = replace(worker.settings, shared_artifacts=str(tmp_path / "shared"))
        return replace(worker, settings=replace(shared, home=tmp_path / home))

    return elsewhere


def drain_after(worker: Worker, epoch: int) -> None:
    """Let a worker hand its trial back after this epoch."""
    record = Store.record

    def record_and_stop(store: Store, claim: Claim, this: int, *numbers: Any) -> Any:
        answer = record(store, claim, this, *numbers)
        return "drain" if this == epoch else answer

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Store, "record", record_and_stop)
        assert isinstance(attempt(worker), HandedBack)


def shared_files(worker: Worker) -> list[Path]:
    return sorted(Path(worker.settings.artifacts).iterdir())


def test_another_machine_goes_on_from_the_newest_checkpoint(
    elsewhere: Callable[[str], Worker], store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    drain_after(elsewhere("a"), 3)
    assert len(store.files("toy")) == len(shared_files(elsewhere("a"))) == 2

    with caplog.at_level(logging.INFO):
        assert isinstance(attempt(elsewhere("b")), Finished)

    assert "going on from epoch-0003-" in caplog.text
    assert [row.attempt for row in store.epochs("toy")] == [1, 1, 1, 2, 2]


def test_a_torn_one_is_passed_over_for_the_one_before(
    elsewhere: Callable[[str], Worker], store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    drain_after(elsewhere("a"), 3)
    newest = next(file for file in store.files("toy") if file.name.startswith("epoch-0003"))
    (Path(elsewhere("a").settings.artifacts) / newest.artifact_id).write_bytes(b"torn")

    with caplog.at_level(logging.INFO):
        assert isinstance(attempt(elsewhere("b")), Finished)

    assert "going on from epoch-0002-" in caplog.text
    assert [row.epoch for row in store.epochs("toy")] == [1, 2, 3, 4, 5]


def test_nothing_shared_is_left_of_a_trial_that_has_ended(
    elsewhere: Callable[[str], Worker], store: Store
) -> None:
    drain_after(elsewhere("a"), 3)
    attempt(elsewhere("b"))
    assert store.files("toy") == []
    assert shared_files(elsewhere("a")) == []


def test_of_shared_weights_those_of_the_best_trials_are_left(
    elsewhere: Callable[[str], Worker], store: Store
) -> None:
    worker = elsewhere("a")
    for number in range(3):
        folder = worker.settings.trial_folder("toy", number) / "attempt-1"
        folder.mkdir(parents=True)
        (folder / "best.pt").write_text(f"weights of trial {number}")
        attempt(worker)

    best = min(store.trials("toy"), key=lambda trial: trial.value or 0).number
    (left,) = shared_files(worker)
    assert left.read_text() == f"weights of trial {best}"
    assert [(file.number, file.name) for file in store.files("toy")] == [(best, "best.pt")]


def test_a_place_that_went_away_costs_the_trial_nothing(
    elsewhere: Callable[[str], Worker],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    worker, note = elsewhere("a"), Store.note_file
    shared = Path(worker.settings.artifacts)

    def note_and_lose(*args: Any) -> None:
        note(*args)
        if shared.is_dir():
            shared.rename(shared.with_name("gone"))

    monkeypatch.setattr(Store, "note_file", note_and_lose)
    with caplog.at_level(logging.WARNING):
        assert isinstance(attempt(worker), Finished)
    assert "is not shared" in caplog.text
