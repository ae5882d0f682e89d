"""Artifacts in a folder, whole or not there; one that machines share carries a mark.

Without its mark the folder is taken for an empty mount point: the share is away.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from storage.errors import ArtifactsRefused, ArtifactsUnreachable, FileMissing
from storage.whole import partial_of, whole_file

MARK = "artifact-store.txt"
EXPLAINED = "By this file search tells the shared folder from an empty mount point. Keep it here.\n"


class Folder:
    """A store in a folder, with files that are whole or not there.

    With a mark, every method raises ArtifactsUnreachable while the folder carries none, and
    ArtifactsRefused while it carries another.
    """

    def __init__(self, location: str, mark: str | None = None) -> None:
        """Open nothing yet.

        mark: that of a shared folder; None for a folder that is made where it is missing.
        """
        self._folder, self._mark = Path(location), mark

    def open_reader(self, artifact_id: str) -> BinaryIO:
        self._check()
        with _found(artifact_id):
            return self._path(artifact_id).open("rb")

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        self._check()
        if self._mark is None:
            self._folder.mkdir(parents=True, exist_ok=True)
        # An id belongs to one attempt, which writes one file at a time.
        with whole_file(self._path(artifact_id)) as file:
            shutil.copyfileobj(content_body, file)
        try:
            self._check()
        except ArtifactsUnreachable:  # the share went in between: this is below its mount point
            self._path(artifact_id).unlink(missing_ok=True)
            raise

    def remove(self, artifact_id: str) -> None:
        self._check()
        # A killed writer leaves its partial file.
        partial_of(self._path(artifact_id)).unlink(missing_ok=True)
        with _found(artifact_id):
            self._path(artifact_id).unlink()

    def size(self, artifact_id: str) -> int:
        self._check()
        with _found(artifact_id):
            return self._path(artifact_id).stat().st_size

    def _path(self, artifact_id: str) -> Path:
        if artifact_id in ("", ".", "..") or "/" in artifact_id:
            raise ValueError(f"{artifact_id!r} is not the id of a file in {self._folder}")
        return self._folder / artifact_id

    def _check(self) -> None:
        found = mark_of(self._folder) if self._mark is not None else None
        if found != self._mark:
            error = ArtifactsUnreachable if found is None else ArtifactsRefused
            raise error(
                f"{self._folder}: this is not the folder that machines share, or it is not mounted"
                f" ({MARK} is missing or another one's)",
                "mount the share, or set SEARCH_ARTIFACTS to a new folder if its files are gone",
            )


@contextmanager
def _found(artifact_id: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise FileMissing(artifact_id) from error


def mark_of(folder: Path) -> str | None:
    """Read the mark of a shared folder; None where it has none."""
    try:
        return (folder / MARK).read_text(errors="replace").partition("\n")[0]
    except FileNotFoundError:
        return None


def make_mark(folder: Path) -> str:
    """Return the mark of a shared folder, made if it has none; of several makers one succeeds."""
    if mark_of(folder) is None:
        draft = folder / f"{MARK}.{uuid4().hex[:8]}"
        draft.write_text(f"{uuid4()}\n{EXPLAINED}")
        try:
            _link(draft, folder / MARK)
        finally:
            draft.unlink(missing_ok=True)
    return mark_of(folder) or ""


def _link(draft: Path, mark: Path) -> None:
    """Name a whole draft as the mark, unless there is one."""
    with suppress(FileExistsError):
        try:
            os.link(draft, mark)
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            draft.replace(mark)
