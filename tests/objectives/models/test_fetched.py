"""Tests of weights that are downloaded from an address into torch's cache."""

import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from objectives.contract import RecipeError
from objectives.models import fetched

WEIGHTS = b"weights"
HASH = hashlib.sha256(WEIGHTS).hexdigest()[:8]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "hub" / "checkpoints"


def published(folder: Path, name: str) -> str:
    (folder / name).write_bytes(WEIGHTS)
    return (folder / name).as_uri()


def test_a_file_is_downloaded_once_into_torchs_cache(cache: Path, tmp_path: Path) -> None:
    url = published(tmp_path, f"net-{HASH}.pth")
    assert fetched.url_file("net", url) == cache / f"net-{HASH}.pth"
    (tmp_path / f"net-{HASH}.pth").unlink()
    assert fetched.url_file("net", url).read_bytes() == WEIGHTS


def test_a_download_that_is_not_the_published_file_is_refused(cache: Path, tmp_path: Path) -> None:
    url = published(tmp_path, "net-0123abcd.pth")
    with pytest.raises(RecipeError, match=rf"cannot be fetched \(.*SHA-256.*{HASH}.*put the file"):
        fetched.url_file("net", url)
    assert list(cache.iterdir()) == []


@pytest.fixture
def silent_server() -> Iterator[str]:
    """The address of a server that takes a connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/net-{HASH}.pth"


def test_a_server_that_never_answers_is_given_up(
    cache: Path, silent_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(fetched, "TIMEOUT_SECONDS", 0.2)
    with pytest.raises(RecipeError, match=r"cannot be fetched \(timed out\)"):
        fetched.url_file("net", silent_server)
    assert socket.getdefaulttimeout() is None
