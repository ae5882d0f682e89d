"""The file that was most likely meant by a name that no file has, and how the two differ."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from urllib.parse import unquote

from objectives.data.alike import LEADING_ZEROS, as_read, spelled


class Nearest:
    """The paths of a folder, by what a person reads in their names."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._by_key: defaultdict[str, list[str]] = defaultdict(list)
        self._folders: set[PurePosixPath] = set()
        for path in paths:
            self._by_key[_key(path)].append(path)
            self._folders.add(PurePosixPath(path).parent)

    def hint(self, name: str) -> str:
        """Return a clause that names the nearest file and the difference, "" without a certain one.

        name: a path or id, with or without its ending.
        """
        if PurePosixPath(name) in self._folders:
            return '; it is a folder, whose images path="{column}*" or "{column}/*" names'
        # An id without an ending may have a point in it, so that its whole is tried as well.
        found = self._by_key.get(_key(name)) or self._by_key.get(_key(f"{name}.png")) or []
        if len(found) > 1:
            folder = f"/{PurePosixPath(name).parent}"
            found = [each for each in found if f"/{PurePosixPath(each).parent}".endswith(folder)]
        if len(found) != 1:
            return ""
        return f"; the nearest file, {spelled(found[0])}, differs {_difference(name, found[0])}"


def _key(path: str) -> str:
    return as_read(_without_ending(unquote(_name(path))))


def _name(path: str) -> str:
    return PurePosixPath(path.replace("\\", "/")).name.strip()


def _difference(name: str, path: str) -> str:
    one, other = _name(name), _name(path)
    if _without_ending(other) == one or one == other:
        return "in the folder"
    for where, change in _DIFFERENCES.items():
        if change(one) == change(other) or change(one) == change(_without_ending(other)):
            return where
    return "in several ways, or in characters that look alike"


def _without_ending(name: str) -> str:
    return PurePosixPath(name).stem


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _without_zeros(name: str) -> str:
    return LEADING_ZEROS.sub("", name)


def _without_separators(name: str) -> str:
    return re.sub(r"[\s_-]", "", name)


# How two names may differ, and the change after which they are equal.
_DIFFERENCES: dict[str, Callable[[str], str]] = {
    "in the Unicode form of a letter (NFC and NFD)": _composed,
    "in upper and lower case": str.casefold,
    "in spaces, hyphens or underscores": _without_separators,
    "in characters that are written as % and digits": unquote,
    "in leading zeros": _without_zeros,
    "in the ending": _without_ending,
}
