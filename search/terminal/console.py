"""Tables on stdout as wide as the terminal, and a progress bar on stderr."""

import math
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeVar

from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

UNBOUNDED = 10_000  # columns; rich takes a pipe for a terminal of 80 and cuts names to fit
LINE_SECONDS = 30.0
COLUMNS = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())

T = TypeVar("T")


class PageConsole(Console):
    """A console on stdout whose reader may go, as `head` does."""

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError, which is no failure; rich ends the program with 1."""
        with suppress(SystemExit):
            super().on_broken_pipe()
        raise BrokenPipeError


def page() -> Console:
    """Return a console on stdout that wraps at a terminal's width and never in a pipe."""
    return PageConsole(width=None if sys.stdout.isatty() else UNBOUNDED)


def print_table(console: Console, table: Table) -> None:
    """Print a table in which no value is cut; each is folded where the terminal is narrow.

    Where even that does not fit, the table is wider than the terminal, which folds its lines.
    """
    table.box = None
    for column in table.columns:
        column.overflow = "fold"
    width = console.width
    unbounded = console.options.update_width(UNBOUNDED)
    console.width = max(width, Measurement.get(console, unbounded, table).minimum)
    console.print(table)
    console.width = width


class Bar:
    """A progress bar on the terminal for as long as the block lasts.

    It writes nothing into a log file and leaves nothing behind at its end. `count` is the number of
    steps so far, whether the bar is shown or not.
    """

    def __init__(self, title: str, total: int | None = None) -> None:
        """Prepare the bar.

        title: the words beside it.
        total: the number of steps, None while it is not known.
        """
        console = Console(stderr=True)
        self.is_shown = console.is_terminal
        self._progress = Progress(
            *COLUMNS, console=console, transient=True, disable=not self.is_shown
        )
        self._task = self._progress.add_task(title, total=total)
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

    def step(self) -> None:
        """Count one step more."""
        self.move_to(self.count + 1)

    def move_to(self, count: int, total: int | None = None) -> None:
        """Set the number of steps so far, and the number of all steps where it is given."""
        self.count = count
        self._progress.update(self._task, completed=count, total=total)


def with_bar(steps: Iterable[T], title: str, total: int) -> Iterator[T]:
    """Yield each step of an iterable and show a bar of so many steps meanwhile.

    Where there is no terminal, a line tells the first step and then one every half minute.
    """
    told = -math.inf
    with Bar(title, total) as bar:
        for step in steps:
            bar.step()
            if not bar.is_shown and time.monotonic() - told > LINE_SECONDS:
                told = time.monotonic()
                print(f"{title}: {bar.count} of {total}", file=sys.stderr, flush=True)
            yield step
