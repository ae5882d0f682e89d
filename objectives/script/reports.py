"""Results as lines of JSON that a script appends to a file."""

import json
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from objectives.contract import EpochResult
from objectives.script.reader import BrokenResult, result_of, shown

REPORTS = "reports.jsonl"  # in an attempt's folder
EPOCH = "epoch"
LARGEST = 10**300  # of whole numbers: a larger one is no floating-point number
LONGEST_LINE_BYTES = 1 << 20
_FORM = 'write {"epoch": 3, "val_loss": 0.41}, one line per epoch'


class ReportReader:
    """The reader of the file that the script knows as SEARCH_REPORT.

    A line counts once it ends: a writer may be in the middle of it.
    """

    nothing = (
        "reported no epoch; call trial.report(epoch, val_loss=...) after each, or append such a"
        " line of JSON to $SEARCH_REPORT"
    )

    def __init__(self, path: Path) -> None:
        self._path, self.position = path, 0
        self._facts: tuple[int, ...] = ()
        self._lines: list[bytes] = []  # that were read
        self._old: set[bytes] = set()  # of them, those before the file was written anew

    def take(self, output: bytes) -> None:
        """Take no notice of the output."""

    def read(self, *, is_over: bool = False) -> Iterator[EpochResult]:
        """Yield the results of the lines that have been added.

        A file that is written anew, by `>` instead of `>>`, is read again; lines that were there
        before count once.
        """
        lines = BytesIO(self._added(is_over)).readlines()  # which end by a newline alone
        if lines and not lines[-1].endswith(b"\n") and not is_over:
            self._check_length(len(lines.pop()))
        for line in lines:
            self.position += len(line)
            self._lines.append(line)
            if line.strip() and line not in self._old:
                yield _read(line.decode(errors="replace"))

    def _added(self, is_over: bool) -> bytes:
        try:
            found = self._path.stat()
            facts = (found.st_ino, found.st_size, found.st_mtime_ns)
            if facts == self._facts and not is_over:
                return b""
            with self._path.open("rb") as file:
                self._go_on(file)
                added = file.read()
        except FileNotFoundError:
            return b""
        self._facts = facts
        return added

    def _go_on(self, file: BinaryIO) -> None:
        """Go behind the last line that was read, or to the beginning where it is not there."""
        last = self._lines[-1] if self._lines else b""
        file.seek(self.position - len(last))
        if file.read(len(last)) != last:
            self._old.update(self._lines)
            self.position = file.seek(0)
            self._lines.clear()

    def _check_length(self, length: int) -> None:
        if length > LONGEST_LINE_BYTES:
            raise BrokenResult(f"reported {length:,} bytes without the end of a line; {_FORM}")


def whole_reports(folder: Path) -> Iterator[EpochResult]:
    """Yield the results that the script of an attempt has appended, up to a line that is none.

    Its worker may have been killed before it read the last of them.
    """
    with suppress(BrokenResult):
        yield from ReportReader(folder / REPORTS).read()


def _read(line: str) -> EpochResult:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        raise BrokenResult(f"reported {shown(line)}, which is no JSON; {_FORM}") from None
    if not isinstance(told, dict) or not _is_number(told.get(EPOCH)):
        raise BrokenResult(f"reported {shown(line)}, which has no epoch; {_FORM}")
    metrics = {name: value for name, value in told.items() if name != EPOCH}
    for name, value in metrics.items():
        if not _is_number(value):
            raise BrokenResult(
                f"reported {name} {value!r}, which is no number, in {shown(line)}; {_FORM}"
            )
    numbers = {name: float(value) for name, value in metrics.items()}
    return result_of(told[EPOCH], numbers, line)


def _is_number(value: Any) -> bool:
    is_small = not isinstance(value, int) or abs(value) < LARGEST
    return isinstance(value, int | float) and not isinstance(value, bool) and is_small
