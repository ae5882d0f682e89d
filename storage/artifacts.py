"""Files that outlive their attempt: kept in the artifact store and linked to the Optuna trial."""

import errno
import json
import mimetypes
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from uuid import NAMESPACE_URL, uuid4, uuid5

from optuna.artifacts import (
    ArtifactMeta,
    Boto3ArtifactStore,
    FileSystemArtifactStore,
    get_all_artifact_meta,
)
from optuna.artifacts._protocol import ArtifactStore
from optuna.artifacts._upload import ARTIFACTS_ATTR_PREFIX, DEFAULT_MIME_TYPE
from optuna.artifacts.exceptions import ArtifactNotFound

from storage.errors import ArtifactsUnreachable, StorageError
from storage.rows import FileRow
from storage.store import Claim, Store


def artifact_store(location: str) -> "_Place":
    """Give the artifact store at a folder, made if it is not there, or at `s3://bucket/prefix`.

    Raises StorageError when boto3 is not installed; whatever goes wrong with the place itself
    later, but a full disk, is ArtifactsUnreachable.
    """
    if location.startswith("s3://"):
        return _bucket(location)
    with _reachable(location):
        Path(location).mkdir(parents=True, exist_ok=True)
    return _Place(location, _WholeFiles(location))


def check_reachable(location: str) -> None:
    """Return once a file could be written there and removed again; ArtifactsUnreachable if not."""
    store, probe = artifact_store(location), f"probe-{uuid4()}"
    store.write(probe, BytesIO(b"may this be written?"))
    store.remove(probe)


def keep(store: Store, kept: ArtifactStore, claim: Claim, path: Path) -> str:
    """Keep a file of this attempt under its name and give its id; keeping it again replaces it.

    The file is whole before the trial knows of it. Raises LeaseLost like every write.
    """
    artifact_id = _artifact_id(claim, path.name)
    with path.open("rb") as content:
        kept.write(artifact_id, content)
    kind, encoding = mimetypes.guess_type(path.name)
    meta = ArtifactMeta(artifact_id, path.name, kind or DEFAULT_MIME_TYPE, encoding)
    store.set_attribute(claim, ARTIFACTS_ATTR_PREFIX + artifact_id, json.dumps(asdict(meta)))
    return artifact_id


def linked(store: Store, study: str) -> list[str]:
    """Give the ids of the files that a study's trials kept, those of all their attempts."""
    storage = store.optuna_storage
    trials = [storage.get_trial(trial.trial_id) for trial in store.trials(study)]
    return [
        meta.artifact_id
        for trial in trials
        for meta in get_all_artifact_meta(trial, storage=storage)
    ]


def share(store: Store, kept: ArtifactStore, claim: Claim, name: str, content: BinaryIO) -> None:
    """Put a file of this attempt where other machines find it, and note it with the trial.

    Noted before it is written, so that nothing lies there that nobody knows of: what is noted may
    be missing or torn. Raises LeaseLost like every write.
    """
    artifact_id = _artifact_id(claim, name)
    store.note_file(claim, name, artifact_id)
    kept.write(artifact_id, content)
    try:
        store.note_file(claim, name, artifact_id)
    except StorageError:
        # The trial may have ended meanwhile, and its files been collected without this one.
        remove(kept, [artifact_id])
        raise


def announce(store: Store, claim: Claim, name: str) -> None:
    """Note a file of this attempt that is to follow, whoever writes it. Raises LeaseLost."""
    store.note_file(claim, name, _artifact_id(claim, name))


def is_there(kept: ArtifactStore, file: FileRow) -> bool:
    """Say whether a noted file was written."""
    try:
        with kept.open_reader(file.artifact_id):
            return True
    except ArtifactNotFound:
        return False


def fetch(kept: "_Place", file: FileRow, folder: Path) -> Path | None:
    """Bring a shared file into a folder under its own name; None when it is not there."""
    partial = folder / f"{file.name}.partial"
    try:
        with (  # a bucket's connection may break off in the middle of a file as well
            _reachable(kept.location),
            kept.open_reader(file.artifact_id) as source,
            partial.open("wb") as target,
        ):
            shutil.copyfileobj(source, target)
    except ArtifactNotFound:
        return None
    return partial.replace(folder / file.name)


def unshare(store: Store, kept: ArtifactStore, files: Iterable[FileRow]) -> None:
    """Remove shared files, then the notes of them."""
    ids = [file.artifact_id for file in files]
    remove(kept, ids)
    if ids:
        store.forget_files(ids)


def remove(kept: ArtifactStore, artifact_ids: Iterable[str]) -> None:
    """Remove kept files; those that are not there are gone already."""
    for artifact_id in artifact_ids:
        with suppress(ArtifactNotFound):
            kept.remove(artifact_id)


class _Place:
    """An artifact store at an address, which every error names with its fix."""

    def __init__(self, location: str, store: ArtifactStore, prefix: str = "") -> None:
        self.location, self._store, self._prefix = location, store, prefix

    def open_reader(self, artifact_id: str) -> BinaryIO:
        with _reachable(self.location):
            return self._store.open_reader(self._prefix + artifact_id)

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        with _reachable(self.location):
            self._store.write(self._prefix + artifact_id, content_body)

    def remove(self, artifact_id: str) -> None:
        with _reachable(self.location):
            self._store.remove(self._prefix + artifact_id)


class _WholeFiles(FileSystemArtifactStore):
    """Optuna's store in a folder, whose files are whole or not there."""

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        partial = self._partial(artifact_id)
        try:
            with partial.open("wb") as file:
                shutil.copyfileobj(content_body, file)
            partial.replace(self._get_filepath(artifact_id))
        finally:
            partial.unlink(missing_ok=True)

    def remove(self, artifact_id: str) -> None:
        # Who was killed while it wrote could not take this along itself.
        self._partial(artifact_id).unlink(missing_ok=True)
        super().remove(artifact_id)

    def _partial(self, artifact_id: str) -> Path:
        # An id belongs to one attempt, which writes one file at a time.
        return self._get_filepath(f"{artifact_id}.partial")


def _bucket(location: str) -> _Place:
    """Give Optuna's store in a bucket, below a prefix; boto3 reads its own environment."""
    if find_spec("boto3") is None:
        raise StorageError(
            f"{location} needs boto3, which is not installed; pip install 'search[s3]'"
        )
    bucket, _, prefix = location.removeprefix("s3://").strip("/").partition("/")
    if not bucket:
        raise StorageError(f"{location} names no bucket; write it as s3://bucket/prefix")
    with _reachable(location):
        store = Boto3ArtifactStore(bucket, avoid_buf_copy=True)
    return _Place(location, store, f"{prefix}/" if prefix else "")


@contextmanager
def _reachable(location: str) -> Iterator[None]:
    """Turn what a file system or a bucket refuses, but for a full disk, into one line."""
    try:
        yield
    except ArtifactNotFound:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _unreachable(location, error.strerror or str(error)) from error
    except Exception as error:
        # Their own classes, which are loaded only where a bucket is used.
        if type(error).__module__.partition(".")[0] not in ("boto3", "botocore", "urllib3"):
            raise
        raise _unreachable(location, str(error)) from error


def _unreachable(location: str, said: str) -> ArtifactsUnreachable:
    return ArtifactsUnreachable(
        f"{location}: the artifact store does not answer ({' '.join(said.split())}); "
        "see that it is there and may be written to, or set SEARCH_ARTIFACTS to another"
    )


def _artifact_id(claim: Claim, name: str) -> str:
    # The dashboard serves ids of hex digits and dashes only.
    path = f"{claim.study}-{claim.trial_id}-{claim.attempt}-{name}"
    return str(uuid5(NAMESPACE_URL, path))
