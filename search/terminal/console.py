"""Tables on stdout as wide as the terminal, and a progress bar on stderr."""

import sys
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

UNBOUNDED = 10_000  # columns; rich takes a pipe for a terminal of 80 and cuts names to fit
COLUMNS = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())

T = TypeVar("T")


def page() -> Console:
    """Return a console on stdout that wraps at a terminal's width and never in a pipe."""
    return Console(width=None if sys.stdout.isatty() else UNBOUNDED)


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
        is_shown = console.is_terminal
        self._progress = Progress(*COLUMNS, console=console, transient=True, disable=not is_shown)
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
    """Yield each step of an iterable and show a bar of so many steps meanwhile."""
    with Bar(title, total) as bar:
        for step in steps:
            bar.step()
            yield step
