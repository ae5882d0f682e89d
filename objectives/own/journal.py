"""The results of an author's own code, on disk before anybody else has them.

A shipped objective has all its results in its checkpoint and yields them again. An author's code
goes on at the epoch after its own checkpoint; the results before it are in the journals of earlier
attempts. So an outage of the database in which the worker is killed leaves no hole in the curve.
"""

import json
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from objectives.contract import Attempt, EpochResult, Objective, Repeated
from objectives.files.disk import when_there_is_room
from objectives.files.whole import flush
from objectives.own.yielded import plain_results

JOURNAL = "reported.jsonl"


Unread = Callable[[Path], Iterable[EpochResult]]


def journaled(objective: Objective, unread: Unread = lambda _: ()) -> Objective:
    """Wrap an objective so that each result is in the attempt's journal before it is yielded.

    Where the code goes on at a later epoch than the first, the results before it are yielded first,
    from the journal of an earlier attempt; where it yields nothing, all of that journal. Those that
    no journal on this machine has are left out. Seconds that the code leaves at 0 are measured.

    unread: returns the results in an earlier attempt's folder that its worker may not have read
        when it was killed; those of the journal come first.
    """

    def train(config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
        journal, is_first = _Journal(attempt, unread), True
        with closing(plain_results(objective(config, attempt))) as results:
            for result in _timed(results):
                before = journal.before(result.epoch) if is_first else []
                journal.add(*before, result)  # whoever stops at a repeated one loses nothing
                yield from before
                yield result
                is_first = False
        if is_first:
            before = journal.before(None)
            journal.add(*before)
            yield from before

    return train


def read_journal(folder: Path) -> dict[int, EpochResult]:
    """Read the results of an attempt by epoch; a line that was torn, and all behind it, are not."""
    results: dict[int, EpochResult] = {}
    try:
        lines = (folder / JOURNAL).read_bytes().splitlines(keepends=True)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    for line in lines:
        try:
            result = _decoded(line)
        except (ValueError, KeyError, TypeError):
            break
        results[result.epoch] = result
    return results


def _timed(results: Iterable[EpochResult]) -> Iterator[EpochResult]:
    started = time.monotonic()
    for result in results:
        seconds = result.seconds or time.monotonic() - started
        yield replace(result, seconds=seconds)
        started = time.monotonic()


@dataclass
class _Journal:
    """The journal of an attempt, which is begun anew.

    length: of the lines that are whole, in bytes.
    """

    attempt: Attempt
    unread: Unread
    length: int = field(default=0, init=False)

    def before(self, epoch: int | None) -> list[Repeated]:
        """Return the results before an epoch that the code goes on with; None after its last one.

        They are those of one attempt: the one whose files the code goes on from, if it has the
        epoch before, or else the newest that has it.
        """
        for folder in self._folders():
            results = self._reported(folder)
            last = max(results, default=0) if epoch is None else epoch - 1
            if last in results:
                return _run_until(last, results)
        return []

    def add(self, *results: EpochResult) -> None:
        """Write results to disk; a full disk is waited out."""
        if results:
            lines = b"".join(map(_encoded, results))
            folder = self.attempt.folder
            when_there_is_room(lambda: self._write(lines), folder, self.attempt.progress)

    def _reported(self, folder: Path) -> dict[int, EpochResult]:
        unread = {result.epoch: result for result in self.unread(folder)}
        return unread | read_journal(folder)

    def _folders(self) -> Iterator[Path]:
        if self.attempt.resume_from is not None:
            yield self.attempt.resume_from
        yield from reversed(self.attempt.earlier)

    def _write(self, lines: bytes) -> None:
        path = self.attempt.folder / JOURNAL
        with path.open("r+b" if self.length else "wb") as file:
            file.truncate(self.length)  # what a full disk left of an earlier try
            file.seek(self.length)
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
        if not self.length:
            flush(self.attempt.folder)  # the file's name
        self.length += len(lines)


def _run_until(last: int, results: Mapping[int, EpochResult]) -> list[Repeated]:
    """Return the epochs up to `last` that have no gap between them."""
    first = last
    while first - 1 in results:
        first -= 1
    return [Repeated(**vars(results[epoch])) for epoch in range(first, last + 1)]


def _encoded(result: EpochResult) -> bytes:
    metrics = {name: _plain(value) for name, value in result.metrics.items()}
    line = {"epoch": result.epoch, "metrics": metrics}
    line |= {"seconds": result.seconds, "images": result.images}
    return json.dumps(line, allow_nan=False).encode() + b"\n"


def _plain(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)  # JSON has no words for these


def _decoded(line: bytes) -> EpochResult:
    if not line.endswith(b"\n"):
        raise ValueError("torn")
    read = json.loads(line)
    return EpochResult(
        epoch=int(read["epoch"]),
        metrics={str(name): float(value) for name, value in read["metrics"].items()},
        seconds=float(read["seconds"]),
        images=int(read["images"]),
    )
