"""Files of an attempt: kept under one name, seen by Optuna and its dashboard."""

from collections.abc import Callable
from pathlib import Path
from wsgiref.util import setup_testing_defaults

import optuna
import pytest
from optuna_dashboard import wsgi

from storage import artifacts
from storage.errors import LeaseLost, StorageError
from storage.store import Claim, Store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where kept files go."""
    return tmp_path / "artifacts"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A file that an attempt made."""
    path = tmp_path / "traceback.txt"
    path.write_text("it broke")
    return path


def test_a_kept_file_is_listed_by_optuna_and_fetched_whole(
    store: Store, claim: Callable[..., Claim], folder: Path, report: Path, tmp_path: Path
) -> None:
    held = claim()
    kept = artifacts.keep(store, folder, held, report)
    (meta,) = optuna.artifacts.get_all_artifact_meta(
        store.optuna_study("toy").trials[0], storage=store.optuna_storage
    )
    assert (meta.artifact_id, meta.filename, meta.mimetype) == (kept, "traceback.txt", "text/plain")
    fetched = artifacts.fetch(folder, kept, tmp_path / "copy.txt")
    assert fetched.read_text() == "it broke"


def test_keeping_a_file_again_replaces_it(
    store: Store, claim: Callable[..., Claim], folder: Path, report: Path
) -> None:
    held = claim()
    first = artifacts.keep(store, folder, held, report)
    report.write_text("it broke twice")
    assert artifacts.keep(store, folder, held, report) == first
    assert [path.read_text() for path in folder.iterdir()] == ["it broke twice"]


def test_of_two_attempts_files_the_later_one_is_found(
    store: Store, claim: Callable[..., Claim], folder: Path, report: Path
) -> None:
    held = claim("ada")
    artifacts.keep(store, folder, held, report)
    store.hand_back(held, "drained")
    second = artifacts.keep(store, folder, claim("bob"), report)
    assert artifacts.kept(store, "toy", store.trials("toy")[0]) == {"traceback.txt": second}


def test_a_superseded_attempt_links_no_file(
    store: Store, claim: Callable[..., Claim], folder: Path, report: Path
) -> None:
    held = claim("ada")
    store.end_leases("ada", "killed")
    with pytest.raises(LeaseLost):
        artifacts.keep(store, folder, held, report)
    assert artifacts.kept(store, "toy", store.trials("toy")[0]) == {}


def test_a_file_that_is_not_there_names_the_folder(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="name the folder"):
        artifacts.fetch(folder, "0" * 8, tmp_path / "copy")


def test_the_dashboard_serves_a_kept_file(
    store: Store, claim: Callable[..., Claim], folder: Path, report: Path
) -> None:
    held = claim()
    kept = artifacts.keep(store, folder, held, report)
    app = wsgi(store.optuna_storage, artifact_store=artifacts.artifact_store(folder))
    study_id = store.study("toy").study_id
    environ = {"PATH_INFO": f"/artifacts/{study_id}/{held.trial_id}/{kept}"}
    setup_testing_defaults(environ)
    statuses: list[str] = []
    body = app(environ, lambda status, *_: statuses.append(status))
    assert (statuses, b"".join(body)) == (["200 OK"], b"it broke")
    body.close()
