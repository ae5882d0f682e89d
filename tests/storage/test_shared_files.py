"""Files that machines share, in a folder and behind a real S3 endpoint."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest

from storage import artifacts
from storage.artifacts import artifact_store, check_reachable
from storage.errors import ArtifactsUnreachable, LeaseLost, StorageError
from storage.locks import wait_until
from storage.store import Claim, Store


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of a bucket on an S3 server of this module's own."""
    boto3 = pytest.importorskip("boto3", reason="needs boto3")
    pytest.importorskip("moto", reason="needs moto, whose server speaks S3")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve = "from moto.server import main; main()"
    command = [sys.executable, "-c", serve, "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    environment = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
    }
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        assert wait_until(lambda: answers(port), 60)
        boto3.client("s3").create_bucket(Bucket="studies")
        yield "s3://studies/of/the/lab"
    finally:
        os.environ.clear()
        os.environ.update(before)
        server.kill()
        server.wait()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(params=["folder", "bucket"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path / "artifacts")
    return str(request.getfixturevalue("s3"))


def share(store: Store, location: str, claim: Claim, name: str, content: bytes) -> None:
    artifacts.share(store, artifact_store(location), claim, name, BytesIO(content))


@pytest.mark.slow
def test_a_shared_file_comes_back_elsewhere_until_it_is_removed(
    store: Store, claim: Callable[..., Claim], location: str, tmp_path: Path
) -> None:
    check_reachable(location)
    share(store, location, claim(), "epoch-0001.ckpt", b"state")
    (file,) = store.files("toy")
    kept = artifact_store(location)

    path = artifacts.fetch(kept, file, tmp_path)

    assert path == tmp_path / "epoch-0001.ckpt"
    assert path.read_bytes() == b"state"
    artifacts.unshare(store, kept, [file])
    assert store.files("toy") == []
    artifacts.unshare(store, kept, [file])  # who was killed in between does it again


def test_a_file_that_never_came_is_not_there(
    store: Store, claim: Callable[..., Claim], tmp_path: Path
) -> None:
    store.note_file(claim(), "epoch-0001.ckpt", "0" * 8)
    (file,) = store.files("toy", 0)
    assert artifacts.fetch(artifact_store(str(tmp_path)), file, tmp_path) is None


def test_a_superseded_attempt_shares_nothing(
    store: Store, claim: Callable[..., Claim], tmp_path: Path
) -> None:
    held = claim("ada")
    store.end_leases("ada", "killed")
    with pytest.raises(LeaseLost):
        share(store, str(tmp_path / "artifacts"), held, "epoch-0001.ckpt", b"state")
    assert list((tmp_path / "artifacts").iterdir()) == []
    assert store.files("toy") == []


def test_a_place_that_may_not_be_written_to_is_one_line_with_the_fix(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ArtifactsUnreachable, match="or set SEARCH_ARTIFACTS to another") as raised:
        check_reachable(str(tmp_path / "file"))
    assert "\n" not in str(raised.value)


@pytest.mark.slow
def test_a_bucket_that_is_not_there_is_one_line_with_the_fix(s3: str) -> None:
    with pytest.raises(ArtifactsUnreachable, match=r"NoSuchBucket.*set SEARCH_ARTIFACTS"):
        check_reachable("s3://nowhere")


def test_without_boto3_a_bucket_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.artifacts.find_spec", lambda _: None)
    with pytest.raises(StorageError, match=r"pip install 'search\[s3\]'"):
        artifact_store("s3://studies")
