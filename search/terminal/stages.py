"""A progress bar for a task of several stages, on stderr."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress

from search.terminal.console import COLUMNS


class Stages:
    """Shows a bar for the stage that is under way, for as long as the block lasts.

    Call it with the stage, its steps so far, and all its steps where they are known. It writes
    nothing into a log file and leaves nothing behind at its end.
    """

    def __init__(self) -> None:
        console = Console(stderr=True)
        is_shown = console.is_terminal
        self._progress = Progress(*COLUMNS, console=console, transient=True, disable=not is_shown)
        self._stage = ""

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

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        if stage != self._stage:
            self._stage = stage
            for task in self._progress.task_ids:
                self._progress.remove_task(task)
            self._progress.add_task(stage, total=total)
        self._progress.update(self._progress.task_ids[-1], completed=done, total=total)
