"""Results as lines of a script's output that match a pattern."""

import re
from collections.abc import Iterator, Sequence

from objectives.contract import EpochResult
from objectives.script.reader import BrokenResult, result_of, shown

LONGEST_LINE_BYTES = 1 << 20  # a longer one is broken up
_LINE_END = re.compile(rb"\r\n|\n|\r")  # a progress bar ends its lines by \r


class LineReader:
    """The reader of a script's output, both streams.

    pattern: is searched in each line.
    groups: the names of its groups, in order: "epoch" and the metrics.
    counts_from: the number of the script's first epoch.
    """

    def __init__(self, pattern: str, groups: Sequence[str], counts_from: int) -> None:
        self._pattern, self._groups, self._counts_from = re.compile(pattern), groups, counts_from
        self._rest = b""  # a line that has not ended
        self._lines: list[str] = []
        self._newest: EpochResult | None = None
        self.position = 0  # output is progress by itself

    @property
    def nothing(self) -> str:
        """The absence of a result in words, and the fix."""
        pattern = repr(self._pattern.pattern).replace(r"\\", "\\")  # as its author wrote it
        fix = "correct the pattern, or flush the output line by line"
        return f"printed no line that fits {pattern}; {fix}"

    def take(self, output: bytes) -> None:
        """Take more of the output."""
        *lines, self._rest = _LINE_END.split(self._rest + output)
        if len(self._rest) > LONGEST_LINE_BYTES:
            lines, self._rest = [*lines, self._rest], b""
        self._lines += [line.decode(errors="replace") for line in lines]

    def read(self, *, is_over: bool = False) -> Iterator[EpochResult]:
        """Yield the results of the lines that have ended; one that is printed again counts once.

        A progress bar prints its line many times, a logger to both streams.
        """
        if is_over:
            self.take(b"\n")
        lines, self._lines = self._lines, []
        for line in lines:
            found = self._pattern.search(line)
            if found and (result := self._read(line, found)) != self._newest:
                self._newest = result
                yield result

    def _read(self, line: str, found: re.Match[str]) -> EpochResult:
        told = zip(self._groups, found.groups(), strict=True)
        numbers = {name: _number(name, text, line) for name, text in told if text is not None}
        epoch = numbers.pop("epoch")
        return result_of(epoch, numbers, line, self._counts_from)


def _number(name: str, text: str, line: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BrokenResult(
            f"printed {name} {text!r} in {shown(line)}; correct the pattern, so that its group is"
            " a number"
        ) from None
