"""The common part of the readers of a script's results."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from objectives.contract import EpochResult

SHOWN = 200  # characters of a line in a message


class BrokenResult(Exception):
    """A line that holds no result; the text says which and ends with the fix."""


class Reader(Protocol):
    """A reader of the results of one running script.

    position: changes whenever the script has written something to read.
    """

    position: int

    @property
    def nothing(self) -> str:
        """The absence of a result in words, for a script that has ended; and the fix."""

    def take(self, output: bytes) -> None:
        """Take more of the script's output."""

    def read(self, *, is_over: bool = False) -> Iterator[EpochResult]:
        """Yield the results that are new; BrokenResult for one that cannot be read.

        is_over: whether the script has ended, so that nothing is unfinished any more.
        """


def result_of(
    epoch: float, metrics: Mapping[str, float], line: str, counts_from: int = 1
) -> EpochResult:
    """Return an epoch's result; its time is measured by whoever asks for the next one.

    epoch: as the script counts it, from `counts_from` on.
    line: the one that tells it.
    """
    if not float(epoch).is_integer() or epoch < counts_from:
        fix = "give it the number of the epoch that is over, 1 for the first"
        if epoch == 0:
            fix = "count from 1 (Lines and Table take counts_from=0)"
        raise BrokenResult(f"has epoch {epoch:g} in {shown(line)}; {fix}")
    number = int(epoch) + 1 - counts_from
    return EpochResult(epoch=number, metrics=metrics, seconds=0.0, images=0)


def shown(line: str) -> str:
    """Return a line as a message quotes it."""
    line = line.strip()
    return repr(line if len(line) <= SHOWN else line[:SHOWN] + "...")
