"""The facts of images read before: a file with the same size and times is not read again."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from objectives.data.layouts.layout import Layout
from objectives.data.pixels.facts import Facts
from objectives.files.whole import write_whole

log = logging.getLogger(__name__)

FORMAT = 2  # of a line; part of the file's name, so that another format begins another file


class FileState(Protocol):
    """The size and times of a file: one that was found, or a row of a manifest."""

    @property
    def path(self) -> str: ...
    @property
    def bytes(self) -> int: ...
    @property
    def times_ns(self) -> int: ...


class Seen(NamedTuple):
    """The facts of an image, and its size and times when it was read.

    sha1: of the image's bytes, in hex; "" where it could not be read.
    facts: None where only the digest was asked for.
    """

    bytes: int
    times_ns: int
    sha1: str
    facts: Facts | None = None

    def is_of(self, file: FileState) -> bool:
        """Whether the file still has the size and times that it had when it was read."""
        return (self.bytes, self.times_ns) == (file.bytes, file.times_ns)


def read_seen(cache: Path | None, layout: Layout) -> dict[str, Seen]:
    """Read the images seen before, by path; lines that are torn or in another form are skipped."""
    known: dict[str, Seen] = {}
    if cache is None:
        return known
    with suppress(OSError), _file(cache, layout).open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            with suppress(ValueError, TypeError, RecursionError):
                path, seen = _from_line(line)
                known[path] = seen
    return known


def keep_seen(cache: Path | None, layout: Layout, seen: Mapping[str, Seen]) -> None:
    """Write the facts, whole or not at all; a cache that cannot be written is only logged."""
    if cache is None:
        return
    file = _file(cache, layout)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, lambda path: _write(path, seen))
    except OSError as error:
        log.warning("%s: cannot keep the facts of the images (%s)", file, error.strerror)


def _file(cache: Path, layout: Layout) -> Path:
    key = json.dumps([FORMAT, *layout.identity()])
    return cache / f"seen-{hashlib.sha256(key.encode()).hexdigest()[:16]}.jsonl"


def _write(file: Path, seen: Mapping[str, Seen]) -> None:
    with file.open("w", encoding="utf-8") as lines:
        lines.writelines(_line(path, each) for path, each in seen.items())


def _line(path: str, seen: Seen) -> str:
    facts = seen.facts and [*seen.facts[:-1], seen.facts.frequencies.hex()]
    return json.dumps([path, *seen[:3], facts]) + "\n"


def _from_line(line: str) -> tuple[str, Seen]:
    """Read one line; ValueError or TypeError when it is not one of ours."""
    path, size, times_ns, sha1, facts = json.loads(line)
    if [type(each) for each in (path, size, times_ns, sha1)] != [str, int, int, str]:
        raise ValueError(line)
    return path, Seen(size, times_ns, sha1, None if facts is None else _to_facts(facts))


def _to_facts(values: Sequence[Any]) -> Facts:
    defaults = Facts()
    if [type(each) for each in values] != [type(each) for each in (*defaults[:-1], "")]:
        raise ValueError(values)
    facts = Facts(*values)
    return facts._replace(frequencies=bytes.fromhex(values[-1]))
