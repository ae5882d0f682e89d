"""A progress bar on stderr: nothing of it in a log file, nothing left of it at the end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

Start = Callable[[str, int | None], Callable[[], None]]


@contextmanager
def bar() -> Iterator[Start]:
    """Yield what starts the bar over, with what is done and how often, and gives its step."""
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task("", visible=False)

        def start(what: str, total: int | None) -> Callable[[], None]:
            progress.reset(task, total=total, description=what, visible=True)
            return lambda: progress.advance(task)

        yield start
