"""A trial that continues in another home, as on another machine, from its shared checkpoint."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from optuna.artifacts.exceptions import ArtifactNotFound

from search.worker import files
from search.worker.attempt import attempt_trial
from search.worker.endings import Finished, HandedBack
from search.worker.settle import settle
from search.worker.sharing import BrokenOff, Content
from search.worker.worker import Worker
from spaces.study import Pruning
from storage import artifacts
from storage.errors import ArtifactsUnreachable
from storage.locks import wait_until
from storage.places.folder import MARK
from storage.store import Claim, Store
from tests.search.toy_worker import attempt, lease, make_worker
from tests.storage.samples import new_worker


@pytest.fixture
def elsewhere(store: Store, tmp_path: Path) -> Callable[[str], Worker]:
    """Gives a worker with a home of its own; all share one folder of artifacts."""
    worker = make_worker(store, tmp_path, trials=3, keep=1, pruning=Pruning("none"))

    def elsewhere(home: str) -> Worker:
        shared = replace(worker.settings, shared_artifacts=str(tmp_path / "shared"))
        return replace(worker, settings=replace(shared, home=tmp_path / home))

    return elsewhere


def drain_after(worker: Worker, epoch: int) -> None:
    """Let a worker share each checkpoint and hand its trial back after this epoch."""
    record = Store.record

    def record_and_stop(store: Store, claim: Claim, this: int, *numbers: Any, **more: Any) -> Any:
        # Epochs of no time follow each other faster than uploads, which leave out all but the last.
        name = f"epoch-{this:04}"
        assert wait_until(lambda: any(name in file.name for file in store.files("toy")), 60)
        answer = record(store, claim, this, *numbers, **more)
        return "drain" if this == epoch else answer

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Store, "record", record_and_stop)
        assert isinstance(attempt(worker), HandedBack)


def is_uploading() -> bool:
    return any(thread.name.startswith("upload") for thread in threading.enumerate())


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


def test_one_that_comes_short_is_fetched_again(
    elsewhere: Callable[[str], Worker],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drain_after(elsewhere("a"), 3)
    fetch, shortened = artifacts.fetch, []

    def fetch_short_once(kept: Any, file: Any, folder: Path) -> Path | None:
        path = fetch(kept, file, folder)
        if path and not shortened:
            path.write_bytes(b"")
            shortened.append(path)
        return path

    monkeypatch.setattr(artifacts, "fetch", fetch_short_once)
    with caplog.at_level(logging.INFO):
        assert isinstance(attempt(elsewhere("b")), Finished)

    assert shortened
    assert "going on from epoch-0003-" in caplog.text


def test_nothing_shared_is_left_of_a_trial_that_has_ended(
    elsewhere: Callable[[str], Worker], store: Store
) -> None:
    drain_after(elsewhere("a"), 3)
    attempt(elsewhere("b"))
    assert wait_until(lambda: not is_uploading(), 30)
    assert store.files("toy") == []
    assert shared_files(elsewhere("a")) == []


def test_a_trial_that_ended_does_not_wait_for_its_last_checkpoint(
    elsewhere: Callable[[str], Worker], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_write, write = Event(), artifacts.ArtifactStore.write

    def write_later(*given: Any) -> None:
        may_write.wait(60)
        write(*given)

    monkeypatch.setattr(artifacts.ArtifactStore, "write", write_later)
    worker = elsewhere("a")

    assert isinstance(attempt(worker), Finished)

    assert is_uploading()  # for nothing can be written yet
    may_write.set()
    assert wait_until(lambda: not is_uploading(), 30)
    assert store.files("toy") == []
    assert shared_files(worker) == []


@pytest.mark.parametrize("megabytes", [1, 30])  # in one piece, and in parts
def test_a_broken_off_upload_leaves_nothing_in_a_bucket(
    s3_server: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    megabytes: int,
) -> None:
    for name, value in s3_server.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "large").write_bytes(bytes(megabytes * 1_000_000))
    kept, over = artifacts.artifact_store("s3://lab/broken"), Event()
    content = Content(tmp_path / "large", over)
    read = content.read
    monkeypatch.setattr(content, "read", lambda *size: (read(*size), over.set())[0])

    with content, pytest.raises(BrokenOff):
        kept.write("epoch", content)

    with pytest.raises(ArtifactNotFound):
        kept.open_reader("epoch")


def test_a_share_that_went_away_costs_no_epoch_and_its_mount_point_gets_no_file(
    elsewhere: Callable[[str], Worker],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    worker, note = elsewhere("a"), Store.note_file
    shared = Path(worker.settings.artifacts)
    _, mark = artifacts.shared_store(str(shared))
    worker = replace(worker, artifact_mark=mark)

    def note_and_lose(*args: Any) -> None:
        note(*args)
        if (shared / MARK).exists():
            shared.rename(shared.with_name("gone"))
            shared.mkdir()

    monkeypatch.setattr(Store, "note_file", note_and_lose)
    with caplog.at_level(logging.WARNING):
        leased = lease(worker)
        assert isinstance(attempt_trial(leased).ending, Finished)
    assert "is not shared" in caplog.text
    assert "it is not mounted" in caplog.text
    assert shared_files(worker) == []


def test_a_trial_keeps_its_lease_while_its_end_waits_for_the_share(
    elsewhere: Callable[[str], Worker], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = elsewhere("a")
    worker = replace(worker, settings=replace(worker.settings, lease_seconds=1.0, beat_seconds=0.2))
    keep, seen = artifacts.keep, list[Any]()

    def keep_later(*args: Any) -> dict[str, str]:
        if len(seen) < 5:  # the pauses between the tries are longer than the lease together
            store.register_worker("toy", new_worker(f"rival-{len(seen)}"))
            seen.append(store.claim("toy", f"rival-{len(seen)}", lease_seconds=60))
            raise ArtifactsUnreachable("the share is away", "mount it")
        return keep(*args)

    monkeypatch.setattr(artifacts, "keep", keep_later)
    monkeypatch.setattr(files, "ARTIFACTS", ("result.txt",))
    leased = lease(worker)
    settled = attempt_trial(leased)
    (leased.folder / "result.txt").write_text("kept")
    settle(leased, settled)

    assert isinstance(settled.ending, Finished)
    numbers = [claim.number for claim in seen if isinstance(claim, Claim)]
    assert leased.claim.number not in numbers
    assert store.attempts("toy", leased.claim.number)[-1].reason == "finished"
