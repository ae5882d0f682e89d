"""Tables on stdout as wide as the terminal, and a progress bar on stderr.

The bar writes nothing into a log file and leaves nothing behind at its end.
"""

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

UNBOUNDED = 10_000  # columns; rich takes a pipe for a terminal of 80 and cuts names to fit
COLUMNS = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())


def page() -> Console:
    """Return a console on stdout that wraps at a terminal's width and never in a pipe."""
    return Console(width=None if sys.stdout.isatty() else UNBOUNDED)


class Bar:
    """What counts `what` while the block lasts; `count` is how many there were, shown or not."""

    def __init__(self, what: str) -> None:
        console = Console(stderr=True)
        is_shown = console.is_terminal
        self._progress = Progress(*COLUMNS, console=console, transient=True, disable=not is_shown)
        self._task = self._progress.add_task(what, total=None)
        self.count = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def expect(self, total: int) -> None:
        """Say how many there will be."""
        self._progress.update(self._task, total=total)

    def step(self) -> None:
        """Count one more."""
        self.count += 1
        self._progress.advance(self._task)
