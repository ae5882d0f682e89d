"""Match the rows of a table with image files, and find where the two disagree (C04)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from objectives.data.layouts.tables.finding import Images, fill, is_glob
from objectives.data.problems import Problem

# The reasons why an image or a row is not in the listing, and the fix for each.
NO_FILE = "not there"
SEVERAL_FILES = "several files for one id"
SEVERAL_ROWS = "named by several rows"
NO_ROW = "not in the table"
FIXES = {
    NO_FILE: "named by the table are not there; bring the files back or remove the rows",
    SEVERAL_FILES: "named by the table are several files; say in the study where they lie, as in "
    'path="images/{id}"',
    SEVERAL_ROWS: "are named by several rows, of which the first is read; keep one",
    NO_ROW: "are not in the table; add their rows or move the files out of the folder",
}


@dataclass(frozen=True)
class Matches:
    """The images that rows name, and those that cannot be matched.

    row_of: path of an image -> number of its row, from 0 on.
    lost: reason -> the names or paths concerned.
    """

    row_of: dict[str, int] = field(default_factory=dict)
    lost: Mapping[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def problems(self, table: str) -> Iterator[Problem]:
        """Report where table and files disagree.

        table: the name of the table.
        """
        for reason, names in self.lost.items():
            start = f"{table}: {len(names)} images, for example {names[0]!r}, "
            yield Problem(
                rule="C04", level="error", message=start + FIXES[reason], paths=tuple(names)
            )


def match(images: Images, patterns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> Matches:
    """Find the images of every row, and the images beside them that no row names.

    patterns: of the declaration's `path`.
    rows: the cells of the columns that the patterns refer to.
    """
    matches = Matches()
    ambiguous: set[str] = set()
    for number, row in enumerate(rows):
        wanted = {pattern: fill(pattern, row) for pattern in patterns}
        if not any(wanted.values()):
            matches.lost[NO_FILE].append(f"row {number + 1}")
        for pattern in (pattern for pattern in patterns if wanted[pattern]):
            paths = images.find(pattern, row)
            if not paths:
                matches.lost[NO_FILE].append(wanted[pattern])
            elif len(paths) > 1 and not is_glob(pattern):
                matches.lost[SEVERAL_FILES].append(wanted[pattern])
                ambiguous.update(paths)
            else:
                _take(matches, paths, number)
    known = {*matches.row_of, *ambiguous}
    beside = {path for pattern in patterns for path in images.beside(pattern, known)}
    if unlisted := sorted(beside - known):
        matches.lost[NO_ROW].extend(unlisted)
    return matches


def _take(matches: Matches, paths: Sequence[str], number: int) -> None:
    for path in paths:
        if path in matches.row_of:
            matches.lost[SEVERAL_ROWS].append(path)
        else:
            matches.row_of[path] = number
