"""Match the rows of a table with image files, and find where the two disagree (C04)."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from objectives.data.layouts.tables.declared import is_glob
from objectives.data.layouts.tables.finding import Images, fill
from objectives.data.layouts.tables.nearest import Nearest
from objectives.data.left_out import LeftOut
from objectives.data.problems import Problem

# The reasons why an image or a row is not in the listing, and the fix for each.
NO_FILE = "not there"
SEVERAL_FILES = "several files for one id"
SEVERAL_ROWS = "named by several rows"
REPEATED = "rows that repeat another one"  # as of several boxes or readings of an image
NO_ROW = "not in the table"
FOUND = {  # with the place of the hint
    NO_FILE: "named by the table are not there{}; bring the files back or remove the rows",
    SEVERAL_FILES: "named by the table are several files; say in the study's Table(...) where they "
    'lie, as in path="images/{{id}}"',
    SEVERAL_ROWS: "are named by rows that differ in what the study reads, and the first counts; "
    "keep one",
    NO_ROW: "are not in the table; add their rows or move the files out of the folder",
}


class Lost(NamedTuple):
    """A name that cannot be matched.

    name: as the table has it, or the path of a file without a row.
    place: its row in the table, or this path.
    """

    name: str
    place: str


@dataclass(frozen=True, kw_only=True)
class Matches:
    """The images that rows name, and those that cannot be matched.

    row_of: path of an image -> number of its row, from 0 on.
    lost: by reason.
    hint: the file that was most likely meant by the first name without one, or "".
    """

    row_of: dict[str, int] = field(default_factory=dict)
    lost: dict[str, list[Lost]] = field(default_factory=dict)
    hint: str = ""

    def lose(self, reason: str, name: str, place: str) -> None:
        """Add a name that cannot be matched."""
        self.lost.setdefault(reason, []).append(Lost(name, place))

    def left_out(self) -> list[LeftOut]:
        """Return the rows and files that are not used, by reason."""
        return [
            LeftOut(reason=reason, paths=tuple(each.place for each in lost))
            for reason, lost in self.lost.items()
        ]

    def problems(self, table: str) -> Iterator[Problem]:
        """Report where table and files disagree.

        table: the name of the table.
        """
        for reason, lost in self.lost.items():
            if reason == REPEATED:
                continue
            name, place = lost[0]
            example = repr(name) + (f" ({place})" if place != name else "")
            start = f"{table}: {len(lost)} images, for example {example}, "
            hint = self.hint if reason == NO_FILE else ""
            yield Problem(
                rule="C04",
                level="error",
                message=start + FOUND[reason].format(hint),
                paths=tuple(each.name for each in lost),
            )


def match(
    images: Images,
    patterns: Sequence[str],
    rows: Sequence[Mapping[str, str]],
    places: Sequence[str],
    read: Sequence[Hashable],
) -> Matches:
    """Find the images of every row, and the images beside them that no row names.

    patterns: of the declaration's `path`.
    rows: the cells of the columns that the patterns refer to.
    places: of the rows in their files.
    read: what the study reads in each row; rows that agree in it may name one image.
    """
    matches = Matches()
    ambiguous: set[str] = set()
    for number, row in enumerate(rows):
        wanted = {pattern: fill(pattern, row) for pattern in patterns}
        if not any(wanted.values()):
            matches.lose(NO_FILE, places[number], places[number])
        for pattern in (pattern for pattern in patterns if wanted[pattern]):
            paths = images.find(pattern, row)
            if not paths:
                matches.lose(NO_FILE, wanted[pattern], places[number])
            elif len(paths) > 1 and not is_glob(pattern):
                matches.lose(SEVERAL_FILES, wanted[pattern], places[number])
                ambiguous.update(paths)
            else:
                for path in paths:
                    first = matches.row_of.setdefault(path, number)
                    if first != number:
                        reason = REPEATED if read[first] == read[number] else SEVERAL_ROWS
                        matches.lose(reason, path, places[number])
    known = {*matches.row_of, *ambiguous}
    beside = {path for pattern in patterns for path in images.beside(pattern, known)}
    for path in sorted(beside - known):
        matches.lose(NO_ROW, path, path)
    return replace(matches, hint=_hint(matches.lost.get(NO_FILE, ()), images.files.keys() - known))


def _hint(lost: Sequence[Lost], unnamed: Iterable[str]) -> str:
    """Return the hint of the first lost name that is near to a file, "" where none is."""
    nearest = Nearest(unnamed if lost else ())
    return next(filter(None, (nearest.hint(each.name) for each in lost)), "")
