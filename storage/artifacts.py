"""Files that outlive their attempt: kept in the artifact store and linked to Optuna's trial.

A file is kept for readers (`keep`: the ended trial links it, the dashboard serves it) or shared
between machines (`share`: a row of our own notes it, and it is removed once it is not needed).
"""

import errno
import json
import mimetypes
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO
from uuid import NAMESPACE_URL, uuid4, uuid5

from optuna.artifacts import ArtifactMeta
from optuna.artifacts.exceptions import ArtifactNotFound

from storage.errors import ArtifactsRefused, ArtifactsUnreachable, StorageError
from storage.optuna_inside import ARTIFACTS_ATTR_PREFIX, DEFAULT_MIME_TYPE
from storage.places import bucket
from storage.places.bucket import Bucket
from storage.places.folder import Folder, make_mark
from storage.rows import FileRow, TrialRow
from storage.store import Claim, Store
from storage.whole import whole_file

SERVED = re.compile("[0-9a-fA-F-]+")  # the ids of files that the dashboard serves
PIECE_BYTES = 1 << 20
READS = 3  # an answer of S3 that breaks off in its headers is a short file without an error
# Of a share that is there; the others, such as EIO and ESTALE, may be gone at the next try.
REFUSALS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ELOOP)


class ArtifactStore:
    """The artifact store at one location, a folder or a bucket, as Optuna's functions take it.

    Every method raises ArtifactsUnreachable, with the location and the fix, for an error of the
    file system or the bucket; ArtifactsRefused where another try is likely to end the same. Two
    errors stay as they are: OSError for a full disk, and ArtifactNotFound for a missing file.
    """

    def __init__(self, location: str, files: Folder | Bucket, prefix: str = "") -> None:
        self.location, self._files, self._prefix = location, files, prefix

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """Open a file for reading."""
        with _reachable(self.location):
            return self._files.open_reader(self._prefix + artifact_id)

    def read(self, file: BinaryIO, most: int) -> bytes:
        """Read on in a file that `open_reader` opened, for at most so many bytes."""
        with _reachable(self.location):  # a connection may break off in the middle of a file
            return file.read(most)

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


def artifact_store(location: str, mark: str | None = None) -> ArtifactStore:
    """Open the artifact store in a folder, made if it is missing, or at `s3://bucket/prefix`.

    Raises StorageError when boto3 is not installed, ArtifactsUnreachable when the folder cannot be
    made. A bucket is not asked yet.

    mark: that of a shared folder, which is not made then: it may be away at the moment.
    """
    if location.startswith("s3://"):
        name, prefix = bucket.parse(location)
        with _reachable(location):
            return ArtifactStore(location, bucket.open_bucket(name), prefix)
    if mark is None:
        with _reachable(location):
            Path(location).mkdir(parents=True, exist_ok=True)
    return ArtifactStore(location, Folder(location, mark))


def shared_store(location: str, mark: str | None = None) -> tuple[ArtifactStore, str]:
    """Open the store that machines share and try it; return it with its mark, "" for a bucket.

    Raises ArtifactsUnreachable where a file cannot be written, read and removed again.

    mark: the one by which other machines know a folder; with None it is made where it is missing.
    """
    store = artifact_store(location, mark)
    if mark is None and not location.startswith("s3://"):
        with _strictly_reachable(location):
            mark = make_mark(Path(location))
        store = artifact_store(location, mark)
    _try(store)
    return store, mark or ""


def check_reachable(location: str) -> None:
    """Write a file, read it and remove it again; ArtifactsUnreachable if that fails."""
    _try(artifact_store(location))


def _try(store: ArtifactStore) -> None:
    probe = f"probe-{uuid4()}"
    with _strictly_reachable(store.location):
        store.write(probe, BytesIO(probe.encode()))
        is_same = any(_read_probe(store, probe) == probe.encode() for _ in range(READS))
        store.remove(probe)
        # Without the right to list a bucket, S3 refuses instead of saying that a file is missing.
        is_gone = store.size(probe) is None
    if not (is_same and is_gone):
        raise _unreachable(store.location, "a file did not come back as it was written")


def _read_probe(store: ArtifactStore, probe: str) -> bytes:
    with suppress(ArtifactNotFound), store.open_reader(probe) as file:
        return store.read(file, PIECE_BYTES)
    return b""


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
        with kept.open_reader(artifact_id) as file:
            return kept.read(file, most)
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
        with (
            kept.open_reader(file.artifact_id) as source,
            whole_file(folder / file.name) as target,
        ):
            while piece := kept.read(source, PIECE_BYTES):
                target.write(piece)
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


@contextmanager
def _reachable(location: str) -> Iterator[None]:
    try:
        yield
    except ArtifactNotFound:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            # Callers wait for room, on this disk.
            raise OSError(error.errno, error.strerror, location) from error
        is_refused = error.errno in REFUSALS
        raise _unreachable(location, error.strerror or str(error), is_refused) from error
    except Exception as error:
        # By the name of their package: it is loaded only where a bucket is used.
        if type(error).__module__.partition(".")[0] not in ("boto3", "botocore", "urllib3"):
            raise
        raise _unreachable(location, str(error), bucket.is_refused(error)) from error


@contextmanager
def _strictly_reachable(location: str) -> Iterator[None]:
    """The same, with a full disk as an error of the store: nobody waits for room."""
    try:
        with _reachable(location):
            yield
    except OSError as error:
        raise _unreachable(location, error.strerror or str(error)) from error


def _unreachable(location: str, reason: str, is_refused: bool = False) -> ArtifactsUnreachable:
    fix = "see that it is there and may be written to, or set SEARCH_ARTIFACTS to another"
    if "RequestTimeTooSkewed" in reason:  # by over 15 minutes
        fix = "set the clock of this machine, by which its requests to S3 are signed"
    kind = ArtifactsRefused if is_refused else ArtifactsUnreachable
    return kind(f"{location}: the artifact store does not answer ({' '.join(reason.split())})", fix)


def _id_of(claim: Claim, name: str) -> str:
    return _artifact_id(claim.study, claim.trial_id, claim.attempt, name)


def _artifact_id(study: str, trial_id: int, attempt: int, name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"{study}-{trial_id}-{attempt}-{name}"))
