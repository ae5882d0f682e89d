"""Files that machines share, in a folder and behind a real S3 endpoint."""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import pytest

from storage import artifacts
from storage.artifacts import artifact_store, check_reachable, shared_store
from storage.errors import (
    ArtifactsRefused,
    ArtifactsUnreachable,
    DatabaseUnreachable,
    LeaseLost,
    StorageError,
)
from storage.locks import wait_until
from storage.places.bucket import ATTEMPTS, open_bucket
from storage.rows import FileRow
from storage.store import Claim, Store
from storage.whole import whole_file
from tests.conftest import s3_environment

WRITER = """
import sys
from storage.artifacts import artifact_store
artifact_store(sys.argv[1]).write("file", sys.stdin.buffer)
"""


@pytest.fixture
def s3(s3_server: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """A location in a bucket on a server that boto3 finds by its own environment."""
    for name, value in s3_server.items():
        monkeypatch.setenv(name, value)
    return "s3://lab/of/the/studies"


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


def test_an_attempt_that_loses_its_trial_in_the_middle_of_a_write_leaves_no_file(
    store: Store, claim: Callable[..., Claim], tmp_path: Path
) -> None:
    class EndsTheLease(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            store.end_leases("ada", "killed")
            return super().read(size)

    kept, held = artifact_store(str(tmp_path / "artifacts")), claim("ada")
    with pytest.raises(LeaseLost):
        artifacts.share(store, kept, held, "epoch-0001.ckpt", EndsTheLease(b"state"))
    assert list((tmp_path / "artifacts").iterdir()) == []


def test_the_partial_file_of_a_killed_writer_goes_with_its_file(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writer = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert writer.stdin
    writer.stdin.write(b"half" * 100_000)
    assert wait_until(lambda: any(tmp_path.iterdir()), 60)
    writer.kill()
    writer.communicate()

    assert [path.name for path in tmp_path.iterdir()] != ["file"]
    artifacts.remove(artifact_store(str(tmp_path)), ["file"])
    assert list(tmp_path.iterdir()) == []


def test_a_connection_that_breaks_off_in_a_file_is_one_to_wait_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("boto3", reason="needs boto3")
    with socket.create_server(("127.0.0.1", 0)) as breaking:
        for name, value in s3_environment(breaking.getsockname()[1]).items():
            monkeypatch.setenv(name, value)
        threading.Thread(target=break_off, args=[breaking]).start()
        file = FileRow(number=0, attempt=1, worker="ada", name="epoch-0001.ckpt", artifact_id="id")

        with pytest.raises(ArtifactsUnreachable, match="set SEARCH_ARTIFACTS to another"):
            artifacts.fetch(artifact_store("s3://lab"), file, tmp_path)
    assert not (tmp_path / file.name).exists()


@pytest.mark.parametrize(
    ("answer", "code", "is_refused"),
    [
        ("503 Slow Down", "SlowDown", False),
        ("400 Bad Request", "RequestTimeout", False),
        ("403 Forbidden", "AccessDenied", True),
        ("403 Forbidden", "RequestTimeTooSkewed", True),
    ],
)
def test_what_another_try_may_mend_is_told_from_a_refusal(
    monkeypatch: pytest.MonkeyPatch, answer: str, code: str, is_refused: bool
) -> None:
    pytest.importorskip("boto3", reason="needs boto3")
    with socket.create_server(("127.0.0.1", 0)) as refusing:
        for name, value in s3_environment(refusing.getsockname()[1]).items():
            monkeypatch.setenv(name, value)
        threading.Thread(target=refuse, args=[refusing, answer, code]).start()

        with pytest.raises(ArtifactsUnreachable, match=code) as raised:
            artifact_store("s3://lab").open_reader("id")
    assert isinstance(raised.value, ArtifactsRefused) == is_refused


def refuse(server: socket.socket, answer: str, code: str) -> None:
    """Answer one request by an error of S3's."""
    body = f"<Error><Code>{code}</Code><Message>No.</Message></Error>"
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        head = f"HTTP/1.1 {answer}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall((head + body).encode())


def break_off(server: socket.socket) -> None:
    """Answer one request by a part of a file."""
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nstate\r\n")


def test_a_store_that_may_not_be_written_to_is_one_line_with_the_fix(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ArtifactsUnreachable, match="or set SEARCH_ARTIFACTS to another") as raised:
        check_reachable(str(tmp_path / "file"))
    assert "\n" not in str(raised.value)
    assert "database" not in str(raised.value)
    assert not isinstance(raised.value, DatabaseUnreachable)


@pytest.mark.slow
def test_the_size_of_a_file_is_known_without_reading_it(location: str) -> None:
    kept = artifact_store(location)
    kept.write("abc", BytesIO(b"seven b"))

    assert (kept.size("abc"), kept.size("def")) == (7, None)


def test_a_bucket_that_is_not_there_is_one_line_with_the_fix(s3: str) -> None:
    with pytest.raises(ArtifactsUnreachable, match=r"NoSuchBucket.*set SEARCH_ARTIFACTS"):
        check_reachable("s3://nowhere")


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("AWS_ACCESS_KEY_ID", "", "credentials"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1", "Could not connect to the endpoint"),
        ("AWS_ENDPOINT_URL", "nowhere", "Invalid endpoint"),
        ("AWS_PROFILE", "nobody", r"profile \(nobody\) could not be found"),
        ("AWS_MAX_ATTEMPTS", "many", "cannot read one of its settings .*the variables AWS_"),
        ("AWS_RETRY_MODE", "never", "Invalid value provided to .mode.: .never. must be"),
    ],
    ids=["key", "address", "no-address", "profile", "attempts", "mode"],
)
def test_a_wrong_setting_of_boto3s_is_one_line(
    s3: str, monkeypatch: pytest.MonkeyPatch, name: str, value: str, line: str
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv(name, value)
    with pytest.raises(StorageError, match=line) as raised:
        check_reachable(s3)
    assert "\n" not in str(raised.value)


def test_boto3_tries_again_as_often_as_its_own_variable_says(
    s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert open_bucket("lab").client.meta.config.retries["total_max_attempts"] == 1
    monkeypatch.delenv("AWS_MAX_ATTEMPTS")
    assert open_bucket("lab").client.meta.config.retries["total_max_attempts"] == ATTEMPTS


def test_an_empty_mount_point_is_not_taken_for_the_share(tmp_path: Path) -> None:
    share = tmp_path / "share"
    kept, mark = shared_store(str(share))
    kept.write("file", BytesIO(b"whole"))
    share.rename(tmp_path / "elsewhere")
    share.mkdir()

    for use in (
        lambda: kept.write("other", BytesIO(b"whole")),
        lambda: kept.open_reader("file"),
        lambda: kept.remove("file"),
        lambda: kept.size("file"),
        lambda: shared_store(str(share), mark),
    ):
        with pytest.raises(ArtifactsUnreachable, match=r"not mounted .*; mount the share, or set"):
            use()
    assert list(share.iterdir()) == []

    share.rmdir()
    (tmp_path / "elsewhere").rename(share)
    assert kept.size("file") == 5


def test_a_folder_whose_mark_is_garbled_is_refused(tmp_path: Path) -> None:
    mark = shared_store(str(tmp_path))[1]
    (tmp_path / "artifact-store.txt").write_bytes(b"\x92\xff\0")

    with pytest.raises(ArtifactsRefused, match="is missing or another one's"):
        shared_store(str(tmp_path), mark)


def test_a_share_that_goes_as_a_write_begins_leaves_nothing_below_its_mount_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = tmp_path / "share"
    kept, _ = shared_store(str(share))

    def go_first(path: Path) -> AbstractContextManager[BinaryIO]:
        share.rename(tmp_path / "elsewhere")
        share.mkdir()
        return whole_file(path)

    monkeypatch.setattr("storage.places.folder.whole_file", go_first)
    with pytest.raises(ArtifactsUnreachable, match="not mounted"):
        kept.write("file", BytesIO(b"whole"))
    assert list(share.iterdir()) == []


def test_machines_that_meet_in_a_new_folder_find_one_mark(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        marks = list(pool.map(shared_store, [str(tmp_path / "share")] * 16))

    assert len({mark for _, mark in marks}) == 1


def test_a_share_without_room_is_one_line_with_its_name(tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    refusal = pytest.raises(ArtifactsUnreachable, match=r"full: .*No space left on device")
    with mounted(full, "tmpfs", "-o", "size=64k"), refusal:
        (full / "ballast").write_bytes(bytes(64 << 10))
        shared_store(str(full))


def test_a_share_that_is_read_only_is_one_line_with_the_fix(tmp_path: Path) -> None:
    fixed = tmp_path / "fixed"
    fixed.mkdir()
    refusal = pytest.raises(ArtifactsUnreachable, match=r"Read-only file system\); see that")
    with mounted(fixed, "tmpfs", "-o", "ro"), refusal:
        shared_store(str(fixed))


@contextmanager
def mounted(folder: Path, kind: str, *options: str) -> Iterator[None]:
    """Mount a file system in memory, which only root may."""
    done = subprocess.run(["mount", "-t", kind, *options, kind, folder], capture_output=True)
    if done.returncode:
        pytest.skip(f"needs the right to mount: {done.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_without_boto3_a_bucket_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.places.bucket.find_spec", lambda _: None)
    with pytest.raises(StorageError, match=r"pip install 'search\[s3\]'"):
        artifact_store("s3://studies")
