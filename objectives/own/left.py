"""The files that an author's own code left in an earlier attempt at the same trial."""

from collections.abc import Sequence
from pathlib import Path

from objectives.own.journal import JOURNAL
from objectives.script.objective import OUR_FILES

# The notes of ours in an attempt's folder, which are nothing to go on from.
NOTES = (JOURNAL, *OUR_FILES)


def newest_left(folders: Sequence[Path]) -> Path | None:
    """Return the folder of the newest attempt in which the code left a file; None without one.

    folders: of the attempts, in order; a missing one counts as empty.
    """
    return next((folder for folder in reversed(folders) if _has_any(folder)), None)


def _has_any(folder: Path) -> bool:
    return any(path.name not in NOTES and path.is_file() for path in folder.rglob("*"))
