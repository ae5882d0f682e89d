"""Results as lines of JSON that a script appends to a file."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from objectives.contract import EpochResult
from objectives.script.reader import BrokenResult, result_of, shown

REPORTS = "reports.jsonl"  # in an attempt's folder
EPOCH = "epoch"
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

    def take(self, output: bytes) -> None:
        """Take no notice of the output."""

    def read(self, *, is_over: bool = False) -> Iterator[EpochResult]:
        """Yield the results of the lines that have been appended."""
        for line in self._lines(is_over):
            if line.strip():
                yield _read(line)

    def _lines(self, is_over: bool) -> Iterator[str]:
        try:
            if self._path.stat().st_size <= self.position:
                return
            with self._path.open("rb") as file:
                file.seek(self.position)
                added = file.read()
        except FileNotFoundError:
            return
        for line in added.splitlines(keepends=True):
            if line.endswith(b"\n") or is_over:
                self.position += len(line)
                yield line.decode(errors="replace")


def whole_reports(folder: Path) -> Iterator[EpochResult]:
    """Yield the results that the script of an attempt has appended, up to a line that is none.

    Its worker may have been killed before it read the last of them.
    """
    with suppress(BrokenResult):
        yield from ReportReader(folder / REPORTS).read()


def _read(line: str) -> EpochResult:
    try:
        told = json.loads(line)
    except ValueError:
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
    return isinstance(value, int | float) and not isinstance(value, bool)
