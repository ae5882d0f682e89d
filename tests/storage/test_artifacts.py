"""Files of an attempt: kept under one name, seen by Optuna and its dashboard."""

from collections.abc import Callable
from pathlib import Path
from wsgiref.util import setup_testing_defaults

import optuna
import pytest
from optuna_dashboard import wsgi

from storage import artifacts
from storage.errors import LeaseLost
from storage.rows import HandBackReason
from storage.store import Claim, Store
from tests.storage.samples import finished


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


def test_a_kept_file_is_listed_by_optuna_once_its_trial_has_ended(
    store: Store, claim: Callable[..., Claim], folder: Path, report: Path
) -> None:
    held = claim()
    links = artifacts.keep(artifacts.artifact_store(str(folder)), held, report)
    store.tell(held, finished(0.5, links=links))
    (meta,) = optuna.artifacts.get_all_artifact_meta(
        store.optuna_study("toy").trials[0], storage=store.optuna_storage
    )
    (kept,) = store.linked_files("toy")
    assert (meta.artifact_id, meta.filename, meta.mimetype) == (kept, "traceback.txt", "text/plain")


def test_a_trials_links_are_read_without_those_that_nobody_serves(
    claim: Callable[..., Claim], folder: Path, report: Path
) -> None:
    links = artifacts.keep(artifacts.artifact_store(str(folder)), claim(), report)
    foreign = {
        "artifacts:../../etc/passwd": '{"filename": "passwd"}',
        "artifacts:abc": "no JSON",
        "artifacts:def": "[]",
        "badges": "overfits",
    }
    ((name, artifact_id),) = artifacts.linked({**foreign, **links}).items()
    assert (name, f"artifacts:{artifact_id}") == ("traceback.txt", *links)


def test_keeping_a_file_again_replaces_it(
    claim: Callable[..., Claim], folder: Path, report: Path
) -> None:
    held, kept = claim(), artifacts.artifact_store(str(folder))
    first = artifacts.keep(kept, held, report)
    report.write_text("it broke twice")
    assert artifacts.keep(kept, held, report) == first
    assert [path.read_text() for path in folder.iterdir()] == ["it broke twice"]


def test_the_files_of_all_attempts_are_known_until_they_are_removed(
    store: Store, claim: Callable[..., Claim], folder: Path, report: Path
) -> None:
    kept = artifacts.artifact_store(str(folder))
    first = claim("ada")
    artifacts.keep(kept, first, report)
    store.hand_back(first, HandBackReason.DRAINED)  # or it died before it could link its file
    second = claim("bob")
    store.tell(second, finished(0.5, links=artifacts.keep(kept, second, report)))
    ids = artifacts.kept_ids(store, "toy", [report.name])
    assert sorted(ids) == sorted(path.name for path in folder.iterdir())
    assert len(ids) == 2


def test_a_superseded_attempt_links_no_file(
    store: Store, claim: Callable[..., Claim], folder: Path, report: Path
) -> None:
    held, kept = claim("ada"), artifacts.artifact_store(str(folder))
    store.end_leases("ada", HandBackReason.KILLED)
    links = artifacts.keep(kept, held, report)
    with pytest.raises(LeaseLost):
        store.tell(held, finished(0.5, links=links))
    assert store.linked_files("toy") == []
    artifacts.unlink(kept, links)
    assert list(folder.iterdir()) == []


def test_the_dashboard_serves_a_kept_file(
    store: Store, claim: Callable[..., Claim], folder: Path, report: Path
) -> None:
    held = claim()
    links = artifacts.keep(artifacts.artifact_store(str(folder)), held, report)
    store.tell(held, finished(0.5, links=links))
    (kept,) = store.linked_files("toy")
    app = wsgi(store.optuna_storage, artifact_store=artifacts.artifact_store(str(folder)))
    study_id = store.study("toy").study_id
    environ = {"PATH_INFO": f"/artifacts/{study_id}/{held.trial_id}/{kept}"}
    setup_testing_defaults(environ)
    statuses: list[str] = []
    body = app(environ, lambda status, *_: statuses.append(status))
    assert (statuses, b"".join(body)) == (["200 OK"], b"it broke")
    body.close()
