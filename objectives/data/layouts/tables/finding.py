"""Find the images that a row of a table names."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from glob import escape
from itertools import takewhile
from pathlib import PurePosixPath
from posixpath import basename, dirname

from objectives.data.layouts.listing import File
from objectives.data.layouts.other_files import IMAGE_ENDS
from objectives.data.layouts.tables.cells import identifier
from objectives.data.layouts.tables.declared import (
    GLOB,
    IN_BRACES,
    columns_of,
    is_column,
    is_glob,
)


def fill(pattern: str, row: Mapping[str, str]) -> str:
    """Fill a row's cells into a pattern; "" where one of them is missing."""
    if not all(row[name].strip() for name in columns_of(pattern)):
        return ""
    return identifier(row[pattern]) if is_column(pattern) else _fill_braces(pattern, row)


def _fill_braces(pattern: str, row: Mapping[str, str], quote: Callable[[str], str] = str) -> str:
    return IN_BRACES.sub(lambda braces: quote(identifier(row[braces.group(1)])), pattern)


class Images:
    """The images of a folder, found by the names that a table has for them."""

    def __init__(self, files: Sequence[File]) -> None:
        self.files = {file.path: file for file in files}
        self._paths = sorted(self.files)
        self._by_stem: defaultdict[str, list[str]] = defaultdict(list)  # path without extension
        self._by_name: defaultdict[str, list[str]] = defaultdict(list)  # with and without it
        for path in self._paths:
            self._by_stem[_stem(path)].append(path)
            name = basename(path)
            for each in {name, _stem(name)}:
                self._by_name[each].append(path)

    def without(self, others: Collection[str]) -> "Images":
        """Return the images but for those of some paths, such as masks that a column names."""
        return Images([file for path, file in self.files.items() if path not in others])

    def find(self, pattern: str, row: Mapping[str, str]) -> list[str]:
        """Find the paths that match a pattern, filled from a row without missing cells."""
        if is_column(pattern):
            return self.find_anywhere(_normal(fill(pattern, row)))
        if is_glob(pattern):
            whole = _fill_braces(pattern, row, escape)
            start = _fill_braces(GLOB.split(pattern)[0], row)
            return [path for path in self._beginning_with(start) if _fits(path, whole)]
        path = _normal(_fill_braces(pattern, row))
        return [path] if path in self.files else self._by_stem.get(path, [])

    def find_anywhere(self, name: str) -> list[str]:
        """Find an id or path in any folder; either may have more leading folders than the other."""
        if name in self.files:
            return [name]
        candidates = self._by_name.get(basename(name), [])
        return [
            path
            for path in candidates
            if any(_ends_alike(name, each) for each in (path, _stem(path)))
        ]

    def beside(self, pattern: str, found: Iterable[str]) -> Iterator[str]:
        """Find all images in the places that a pattern describes, named by a row or not.

        These are the paths that match the pattern with any text in place of the columns. A plain
        column does not name folders: then these are all images in the folders of the found ones.
        """
        if not is_column(pattern):
            loose = IN_BRACES.sub("*", pattern)
            return (path for path in self._paths if _fits(path, loose))
        folders = set(map(dirname, found))
        return (path for path in self._paths if dirname(path) in folders)

    def _beginning_with(self, start: str) -> Iterator[str]:
        paths = (
            self._paths[row] for row in range(bisect_left(self._paths, start), len(self.files))
        )
        return takewhile(lambda path: path.startswith(start), paths)


def _fits(path: str, glob: str) -> bool:
    return fnmatchcase(path, glob) or fnmatchcase(path, f"{glob}.*")


def _ends_alike(one: str, other: str) -> bool:
    return f"/{one}".endswith(f"/{other}") or f"/{other}".endswith(f"/{one}")


def _normal(path: str) -> str:
    return PurePosixPath(path.replace("\\", "/")).as_posix()


def _stem(path: str) -> str:
    """Remove an image's extension; text after another point belongs to the id."""
    return next((path[: -len(end)] for end in IMAGE_ENDS if path.lower().endswith(end)), path)
