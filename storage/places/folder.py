"""Artifacts in a folder, whole or not there; one that machines share carries a mark.

Without its mark the folder is taken for an empty mount point: the share is away.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from optuna.artifacts import FileSystemArtifactStore
from optuna.artifacts.exceptions import ArtifactNotFound

from storage.errors import ArtifactsRefused, ArtifactsUnreachable
from storage.whole import partial_of, whole_file

MARK = "artifact-store.txt"
EXPLAINED = "By this file search tells the shared folder from an empty mount point. Keep it here.\n"


class Folder(FileSystemArtifactStore):
    """Optuna's store in a folder, with files that are whole or not there.

    With a mark, every method raises ArtifactsUnreachable while the folder carries none, and
    ArtifactsRefused while it carries another.
    """

    def __init__(self, location: str, mark: str | None = None) -> None:
        """Open nothing yet.

        mark: that of a shared folder; None for a folder that is made where it is missing.
        """
        super().__init__(location)
        self._folder, self._mark = Path(location), mark

    def open_reader(self, artifact_id: str) -> BinaryIO:
        self._check()
        return super().open_reader(artifact_id)

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        self._check()
        if self._mark is None:
            self._folder.mkdir(parents=True, exist_ok=True)
        # An id belongs to one attempt, which writes one file at a time.
        with whole_file(self._folder / artifact_id) as file:
            shutil.copyfileobj(content_body, file)
        try:
            self._check()
        except ArtifactsUnreachable:  # the share went in between: this is below its mount point
            (self._folder / artifact_id).unlink(missing_ok=True)
            raise

    def remove(self, artifact_id: str) -> None:
        self._check()
        # A killed writer leaves its partial file.
        partial_of(self._folder / artifact_id).unlink(missing_ok=True)
        super().remove(artifact_id)

    def size(self, artifact_id: str) -> int:
        self._check()
        try:
            return (self._folder / artifact_id).stat().st_size
        except FileNotFoundError as error:
            raise ArtifactNotFound(artifact_id) from error

    def _check(self) -> None:
        found = mark_of(self._folder) if self._mark is not None else None
        if found != self._mark:
            error = ArtifactsUnreachable if found is None else ArtifactsRefused
            raise error(
                f"{self._folder}: this is not the folder that machines share, or it is not mounted"
                f" ({MARK} is missing or another one's)",
                "mount the share, or set SEARCH_ARTIFACTS to a new folder if its files are gone",
            )


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
