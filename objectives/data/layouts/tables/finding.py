"""Where the image lies that a row of a table means."""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from glob import escape
from itertools import takewhile
from pathlib import PurePosixPath

from objectives.data.layouts.folder import EXTENSIONS
from objectives.data.layouts.listing import File
from objectives.data.layouts.tables.cells import identifier, is_missing

IN_BRACES = re.compile(r"\{([^{}]+)\}")
GLOB = re.compile(r"[*?[]")


def is_column(pattern: str) -> bool:
    """Say whether a pattern is no more than a column's name."""
    return not IN_BRACES.search(pattern) and not GLOB.search(pattern)


def is_glob(pattern: str) -> bool:
    """Say whether a pattern may mean several images in one row."""
    return bool(GLOB.search(pattern))


def columns_of(pattern: str) -> list[str]:
    """Give the columns that a pattern is made of."""
    return [pattern] if is_column(pattern) else IN_BRACES.findall(pattern)


def fill(pattern: str, row: Mapping[str, str]) -> str:
    """Put a row's cells into a pattern; "" where one of them is missing."""
    if any(is_missing(row[name]) for name in columns_of(pattern)):
        return ""
    return identifier(row[pattern]) if is_column(pattern) else _put(pattern, row)


def _put(pattern: str, row: Mapping[str, str], quote: Callable[[str], str] = str) -> str:
    return IN_BRACES.sub(lambda braces: quote(identifier(row[braces.group(1)])), pattern)


class Images:
    """The images of a folder, to be found by what a table calls them."""

    def __init__(self, files: Sequence[File]) -> None:
        self.files = {file.path: file for file in files}
        self._paths = sorted(self.files)
        self._by_stem: defaultdict[str, list[str]] = defaultdict(list)  # path without extension
        self._by_name: defaultdict[str, list[str]] = defaultdict(list)  # with and without it
        for path in self._paths:
            self._by_stem[_stem(path)].append(path)
            name = PurePosixPath(path).name
            for each in {name, _stem(name)}:
                self._by_name[each].append(path)

    def find(self, pattern: str, row: Mapping[str, str]) -> list[str]:
        """Give the paths that a pattern means in a row whose cells are all there."""
        if is_column(pattern):
            return self._anywhere(_normal(fill(pattern, row)))
        if is_glob(pattern):
            whole, start = _put(pattern, row, escape), _put(GLOB.split(pattern)[0], row)
            return [path for path in self._beginning_with(start) if _fits(path, whole)]
        path = _normal(_put(pattern, row))
        return [path] if path in self.files else self._by_stem.get(path, [])

    def beside(self, pattern: str, found: Iterable[str]) -> Iterator[str]:
        """Give the paths where a pattern's images lie.

        Those that fit it with any text for its columns; of a plain column, which says nothing of
        places, all in the folders of the images found.
        """
        if not is_column(pattern):
            loose = IN_BRACES.sub("*", pattern)
            return (path for path in self._paths if _fits(path, loose))
        folders = {PurePosixPath(path).parent for path in found}
        return (path for path in self._paths if PurePosixPath(path).parent in folders)

    def _anywhere(self, name: str) -> list[str]:
        """Find an id or path wherever it lies; of two folders' names one may be the longer."""
        if name in self.files:
            return [name]
        candidates = self._by_name.get(PurePosixPath(name).name, [])
        return [
            path
            for path in candidates
            if any(_ends_alike(name, each) for each in (path, _stem(path)))
        ]

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
    """Take an image's extension off: what comes after other points belongs to the id."""
    return next((path[: -len(end)] for end in EXTENSIONS if path.lower().endswith(end)), path)
