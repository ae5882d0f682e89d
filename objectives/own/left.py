"""The files that an author's own code left in an earlier attempt at the same trial."""

from collections.abc import Sequence
from pathlib import Path

from objectives.files.whole import PARTIAL
from objectives.own.journal import JOURNAL, read_journal
from objectives.script.objective import OUR_FILES

# The notes of ours in an attempt's folder, which are nothing to go on from.
NOTES = (JOURNAL, *OUR_FILES)


def newest_left(folders: Sequence[Path]) -> Path | None:
    """Return the folder of the newest attempt in which the code left a file; None without one.

    An attempt that reported an epoch comes first, because it has saved something whole; one that
    was killed in its first save has left a part of a file. A name that ends with ".partial", as
    `objectives.files` gives it, is of such a part and does not count.

    folders: of the attempts, in order; a missing one counts as empty.
    """
    left = [folder for folder in reversed(folders) if _has_any(folder)]
    return next(filter(read_journal, left), left[0] if left else None)


def _has_any(folder: Path) -> bool:
    return any(_is_left(path) and path.is_file() for path in folder.rglob("*"))


def _is_left(path: Path) -> bool:
    return path.name not in NOTES and not path.name.endswith(PARTIAL)
