"""Results as rows of a CSV file that a script extends or writes anew."""

import csv
import io
import math
import time
from collections.abc import Iterator, Mapping
from glob import glob
from pathlib import Path

from objectives.contract import EpochResult
from objectives.script.reader import BrokenResult, result_of

RESTS = 9  # a large table is read a tenth of the time, not more
EMPTY = ("", "NA")


class TableReader:
    """The reader of the newest file that a pattern finds.

    An epoch's values may stand in several rows, with empty cells between them: the last value of
    each column counts. An epoch is whole once it has a value in each column, or another one has
    begun, or the script has ended.

    path: of the file, in which `*` is any text.
    columns: the column of each metric.
    epoch: the column of the epoch.
    counts_from: the number of the script's first epoch.
    """

    def __init__(self, path: str, columns: Mapping[str, str], epoch: str, counts_from: int) -> None:
        self._path, self._columns, self._epoch = path, columns, epoch
        self._counts_from = counts_from
        self._seen: tuple[object, ...] = ()
        self._header: list[str] = []
        self._read_at = 0.0
        self._yielded: set[float] = set()
        self.position = 0

    @property
    def nothing(self) -> str:
        """The absence of a result in words, and the fix."""
        if not self._seen:
            return f"wrote no file {self._path}; correct the table's path"
        named, there = ", ".join((self._epoch, *self._columns.values())), ", ".join(self._header)
        return (
            f"wrote no row with {named} into {self._path}, whose columns are {there or 'none'};"
            " correct the table's columns"
        )

    def take(self, output: bytes) -> None:
        """Take no notice of the output."""

    def read(self, *, is_over: bool = False) -> Iterator[EpochResult]:
        """Yield the epochs that have become whole."""
        started = time.monotonic()
        if started < self._read_at and not is_over:
            return
        if text := self._changed(is_over):
            for epoch, values in self._whole(text, is_over):
                self._yielded.add(epoch)
                yield result_of(epoch, values, f"{self._epoch} {epoch:g}", self._counts_from)
        self._read_at = time.monotonic() + RESTS * (time.monotonic() - started)

    def _changed(self, is_over: bool) -> str:
        """Return the file's text where it has changed; "" where it is as it was."""
        try:
            files = map(Path, glob(self._path))  # noqa: PTH207 - the path may be absolute
            file = max(files, key=lambda each: each.stat().st_mtime_ns)
            facts = file.stat()
            seen = (file, facts.st_ino, facts.st_size, facts.st_mtime_ns)
            if seen == self._seen and not is_over:
                return ""
            text = file.read_text(encoding="utf-8-sig", errors="replace")
        except (ValueError, FileNotFoundError):  # none yet, or it is being replaced
            return ""
        self.position += seen != self._seen
        self._seen = seen
        return text if is_over else text[: text.rfind("\n") + 1]

    def _whole(self, text: str, is_over: bool) -> Iterator[tuple[float, dict[str, float]]]:
        epochs = self._epochs(text)
        newest = next(reversed(epochs), None)
        for epoch, values in epochs.items():
            is_whole = len(values) == len(self._columns) or epoch != newest or is_over
            if is_whole and values and epoch not in self._yielded:
                yield epoch, values

    def _epochs(self, text: str) -> dict[float, dict[str, float]]:
        """Return the values of each epoch, in the order in which the epochs begin."""
        epochs: dict[float, dict[str, float]] = {}
        for row in self._rows(text):
            epoch = _number(row, self._epoch)
            if epoch is not None and math.isfinite(epoch):
                values = {name: _number(row, column) for name, column in self._columns.items()}
                there = {name: value for name, value in values.items() if value is not None}
                epochs.setdefault(epoch, {}).update(there)
        return epochs

    def _rows(self, text: str) -> list[dict[str, str | None]]:
        rows = csv.DictReader(io.StringIO(text.replace("\0", "")))
        try:
            self._header = list(rows.fieldnames or ())
            return list(rows)
        except csv.Error as error:
            found = f"wrote a table that is no CSV ({error})"
            raise BrokenResult(f"{found}; name a file with commas between its values") from None


def _number(row: Mapping[str, str | None], column: str) -> float | None:
    """Return the number in a row's column; None where the cell is empty or not there."""
    text = (row.get(column) or "").strip()
    if text in EMPTY:
        return None
    try:
        return float(text)
    except ValueError:
        raise BrokenResult(
            f"wrote {column} {text!r} into its table; name a column of numbers"
        ) from None
