"""Files of an attempt: kept under one name, seen by Optuna and its dashboard."""

from collections.abc import Callable
from pathlib import Path
from wsgiref.util import setup_testing_defaults

import optuna
import pytest
from optuna_dashboard import wsgi

from storage import artifacts
from storage.errors import LeaseLost
from storage.store import Claim, Store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of kept files."""
    return tmp_path / "artifacts"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A file that an attempt made."""
    path = tmp_path / "traceback.txt"
    path.write_text("it broke")
    return path


def test_a_kept_file_is_listed_by_optuna(
    store: Store, claim: Callable[..., Claim], folder: Path, report: Path
) -> None:
    kept = artifacts.keep(store, artifacts.artifact_store(str(folder)), claim(), report)
    (meta,) = optuna.artifacts.get_all_artifact_meta(
        store.optuna_study("toy").trials[0], storage=store.optuna_storage
    )
    assert (meta.artifact_id, meta.filename, meta.mimetype) == (kept, "traceback.txt", "text/plain")


def test_keeping_a_file_again_replaces_it(
    store: Store, claim: Callable[..., Claim], folder: Path, report: Path
) -> None:
    held = claim()
    first = artifacts.keep(store, artifacts.artifact_store(str(folder)), held, report)
    report.write_text("it broke twice")
    assert artifacts.keep(store, artifacts.artifact_store(str(folder)), held, report) == first
    assert [path.read_text() for path in folder.iterdir()] == ["it broke twice"]


def test_the_files_of_all_attempts_are_linked_until_they_are_removed(
    store: Store, claim: Callable[..., Claim], folder: Path, report: Path
) -> None:
    held = claim("ada")
    first = artifacts.keep(store, artifacts.artifact_store(str(folder)), held, report)
    store.hand_back(held, "drained")
    second = artifacts.keep(store, artifacts.artifact_store(str(folder)), claim("bob"), report)
    assert sorted(artifacts.linked(store, "toy")) == sorted([first, second])
    artifacts.remove(artifacts.artifact_store(str(folder)), [first, first])
    assert [path.name for path in folder.iterdir()] == [second]


def test_a_superseded_attempt_links_no_file(
    store: Store, claim: Callable[..., Claim], folder: Path, report: Path
) -> None:
    held = claim("ada")
    store.end_leases("ada", "killed")
    with pytest.raises(LeaseLost):
        artifacts.keep(store, artifacts.artifact_store(str(folder)), held, report)
    assert artifacts.linked(store, "toy") == []


def test_the_dashboard_serves_a_kept_file(
    store: Store, claim: Callable[..., Claim], folder: Path, report: Path
) -> None:
    held = claim()
    kept = artifacts.keep(store, artifacts.artifact_store(str(folder)), held, report)
    app = wsgi(store.optuna_storage, artifact_store=artifacts.artifact_store(str(folder)))
    study_id = store.study("toy").study_id
    environ = {"PATH_INFO": f"/artifacts/{study_id}/{held.trial_id}/{kept}"}
    setup_testing_defaults(environ)
    statuses: list[str] = []
    body = app(environ, lambda status, *_: statuses.append(status))
    assert (statuses, b"".join(body)) == (["200 OK"], b"it broke")
    body.close()
