"""Files that outlive their attempt: kept in the artifact store and linked to Optuna's trial.

A file is kept for readers (`keep`: the ended trial links it, the dashboard serves it) or shared
between machines (`share`: a row of our own notes it, and it is removed once it is not needed).
"""

import errno
import json
import mimetypes
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO
from uuid import NAMESPACE_URL, uuid4, uuid5

from optuna.artifacts import ArtifactMeta, Boto3ArtifactStore, FileSystemArtifactStore
from optuna.artifacts.exceptions import ArtifactNotFound

from storage.errors import ArtifactsUnreachable, StorageError
from storage.optuna_inside import ARTIFACTS_ATTR_PREFIX, DEFAULT_MIME_TYPE
from storage.rows import FileRow, TrialRow
from storage.store import Claim, Store
from storage.whole import partial_of, whole_file

SERVED = re.compile("[0-9a-fA-F-]+")  # the ids of files that the dashboard serves


class ArtifactStore:
    """The artifact store at one location, a folder or a bucket, as Optuna's functions take it.

    Every method raises ArtifactsUnreachable, with the location and the fix, for an error of the
    file system or the bucket. Two errors stay as they are: OSError for a full disk, and
    ArtifactNotFound for a missing file.
    """

    def __init__(self, location: str, files: "_Folder | _Bucket", prefix: str = "") -> None:
        self.location, self._files, self._prefix = location, files, prefix

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """Open a file for reading."""
        with _reachable(self.location):
            return self._files.open_reader(self._prefix + artifact_id)

    def size(self, artifact_id: str) -> int | None:
        """Return the bytes of a file; None for a missing one."""
        try:
            with _reachable(self.location):
                return self._files.size(self._prefix + artifact_id)
        except ArtifactNotFound:
            return None

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """Write a file whole or not at all, over one of that id."""
        with _reachable(self.location):
            self._files.write(self._prefix + artifact_id, content_body)

    def remove(self, artifact_id: str) -> None:
        """Remove a file."""
        with _reachable(self.location):
            self._files.remove(self._prefix + artifact_id)


def artifact_store(location: str) -> ArtifactStore:
    """Open the artifact store in a folder, made if it is missing, or at `s3://bucket/prefix`.

    Raises StorageError when boto3 is not installed, ArtifactsUnreachable when the folder cannot be
    made. A bucket is not asked yet.
    """
    if location.startswith("s3://"):
        return _bucket(location)
    with _reachable(location):
        Path(location).mkdir(parents=True, exist_ok=True)
    return ArtifactStore(location, _Folder(location))


def check_reachable(location: str) -> None:
    """Write a file and remove it again; ArtifactsUnreachable if that fails."""
    store, probe = artifact_store(location), f"probe-{uuid4()}"
    store.write(probe, BytesIO(b"may this be written?"))
    store.remove(probe)


def keep(kept: ArtifactStore, claim: Claim, path: Path) -> dict[str, str]:
    """Keep a file of this attempt under its name; keeping it again replaces it.

    Return the link to the file, which the trial gets with its end (`TrialEnd.links`).
    """
    artifact_id = _id_of(claim, path.name)
    with path.open("rb") as content:
        kept.write(artifact_id, content)
    kind, encoding = mimetypes.guess_type(path.name)
    meta = ArtifactMeta(artifact_id, path.name, kind or DEFAULT_MIME_TYPE, encoding)
    return {ARTIFACTS_ATTR_PREFIX + artifact_id: json.dumps(asdict(meta))}


def read_kept(
    kept: ArtifactStore, study: str, trial: TrialRow, name: str, *, most: int
) -> bytes | None:
    """Read a file that the last attempt at an ended trial kept; None where it is not there.

    most: the number of bytes to stop after.
    """
    artifact_id = _artifact_id(study, trial.trial_id, trial.attempts, name)
    try:
        with _reachable(kept.location), kept.open_reader(artifact_id) as file:
            return file.read(most)
    except ArtifactNotFound:
        return None


def linked(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Return the files that a trial links: each one's id by its name, in the order of the names.

    A link that another program wrote is left out where the dashboard would not serve it.

    attributes: those of Optuna's trial that are for programs.
    """
    found = {}
    for key, text in attributes.items():
        artifact_id = key.removeprefix(ARTIFACTS_ATTR_PREFIX)
        if artifact_id != key and SERVED.fullmatch(artifact_id):
            with suppress(ValueError, TypeError, KeyError):
                found[str(json.loads(text)["filename"])] = artifact_id
    return dict(sorted(found.items()))


def unlink(kept: ArtifactStore, links: Iterable[str]) -> None:
    """Remove files whose links no trial got."""
    remove(kept, [link.removeprefix(ARTIFACTS_ATTR_PREFIX) for link in links])


def kept_ids(store: Store, study: str, names: Iterable[str]) -> list[str]:
    """Return the ids of the files that the attempts at a study's trials kept, linked or not.

    names: those of the files. An attempt that died between its files and its end left some.
    """
    left = [
        _artifact_id(study, trial_id, attempt, name)
        for trial_id, attempt in store.attempts_without_links(study)
        for name in names
    ]
    return [*store.linked_files(study), *left]


def share(store: Store, kept: ArtifactStore, claim: Claim, name: str, content: BinaryIO) -> None:
    """Write a file of this attempt to the shared store, and note it with the trial.

    The note is written first, so that every file in the store has one. A noted file may be missing.
    Raises LeaseLost like every write.
    """
    artifact_id = _id_of(claim, name)
    store.note_file(claim, name, artifact_id)
    kept.write(artifact_id, content)
    try:
        store.note_file(claim, name, artifact_id)
    except StorageError:
        # The trial may have ended meanwhile, and its files been collected without this one.
        remove(kept, [artifact_id])
        raise


def announce(store: Store, claim: Claim, name: str) -> None:
    """Note a file of this attempt that any worker may write later. Raises LeaseLost."""
    store.note_file(claim, name, _id_of(claim, name))


def is_there(kept: ArtifactStore, file: FileRow) -> bool:
    """Say whether a noted file was written."""
    try:
        with kept.open_reader(file.artifact_id):
            return True
    except ArtifactNotFound:
        return False


def fetch(kept: ArtifactStore, file: FileRow, folder: Path) -> Path | None:
    """Copy a shared file into a folder under its own name; None when it is not there."""
    try:
        with (  # a bucket's connection may break off in the middle of a file as well
            _reachable(kept.location),
            kept.open_reader(file.artifact_id) as source,
            whole_file(folder / file.name) as target,
        ):
            shutil.copyfileobj(source, target)
    except ArtifactNotFound:
        return None
    return folder / file.name


def unshare(store: Store, kept: ArtifactStore, files: Iterable[FileRow]) -> None:
    """Remove shared files, then the notes of them."""
    ids = [file.artifact_id for file in files]
    remove(kept, ids)
    if ids:
        store.forget_files(ids)


def remove(kept: ArtifactStore, artifact_ids: Iterable[str]) -> None:
    """Remove files from the store, whether or not each is there."""
    for artifact_id in artifact_ids:
        with suppress(ArtifactNotFound):
            kept.remove(artifact_id)


class _Folder(FileSystemArtifactStore):
    """Optuna's store in a folder, with files that are whole or not there."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self._folder = Path(location)

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        # An id belongs to one attempt, which writes one file at a time.
        with whole_file(self._folder / artifact_id) as file:
            shutil.copyfileobj(content_body, file)

    def remove(self, artifact_id: str) -> None:
        # A killed writer leaves its partial file.
        partial_of(self._folder / artifact_id).unlink(missing_ok=True)
        super().remove(artifact_id)

    def size(self, artifact_id: str) -> int:
        try:
            return (self._folder / artifact_id).stat().st_size
        except FileNotFoundError as error:
            raise ArtifactNotFound(artifact_id) from error


class _Bucket(Boto3ArtifactStore):
    """Optuna's store in a bucket."""

    def size(self, artifact_id: str) -> int:
        with self.open_reader(artifact_id):  # ArtifactNotFound for a missing one
            answer = self.client.head_object(Bucket=self.bucket, Key=artifact_id)
            return int(answer["ContentLength"])


def _bucket(location: str) -> ArtifactStore:
    if find_spec("boto3") is None:
        raise StorageError(
            f"{location} needs boto3, which is not installed", "pip install 'search[s3]'"
        )
    bucket, _, prefix = location.removeprefix("s3://").strip("/").partition("/")
    if not bucket:
        raise StorageError(f"{location} names no bucket", "write it as s3://bucket/prefix")
    with _reachable(location):  # boto3 reads its own environment
        files = _Bucket(bucket, avoid_buf_copy=True)
    return ArtifactStore(location, files, f"{prefix}/" if prefix else "")


@contextmanager
def _reachable(location: str) -> Iterator[None]:
    try:
        yield
    except ArtifactNotFound:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise  # callers wait for room on the disk
        raise _unreachable(location, error.strerror or str(error)) from error
    except Exception as error:
        # By the name of their package: it is loaded only where a bucket is used.
        if type(error).__module__.partition(".")[0] not in ("boto3", "botocore", "urllib3"):
            raise
        raise _unreachable(location, str(error)) from error


def _unreachable(location: str, reason: str) -> ArtifactsUnreachable:
    return ArtifactsUnreachable(
        f"{location}: the artifact store does not answer ({' '.join(reason.split())})",
        "see that it is there and may be written to, or set SEARCH_ARTIFACTS to another",
    )


def _id_of(claim: Claim, name: str) -> str:
    return _artifact_id(claim.study, claim.trial_id, claim.attempt, name)


def _artifact_id(study: str, trial_id: int, attempt: int, name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"{study}-{trial_id}-{attempt}-{name}"))
