"""What a person watching `search run` sees: a live view, or plain lines where no terminal is."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from rich.align import Align
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from search.analysis.standing import Standing
from search.terminal import wording
from search.terminal.events import events
from storage.rows import WorkerRow

WIDE_COLUMNS = 70  # a narrower terminal does without the less important columns


@contextmanager
def watching(url: str, console: Console | None = None) -> Iterator[Callable[[Standing], None]]:
    """Give what shows a standing: redrawn in place on a terminal, otherwise a line per event.

    url: the dashboard's address, "" without one. A terminal that closes is no reason to stop.
    """
    # Asked once: rich asks at every write, and a terminal that closed says that it is none.
    console = console or Console(force_terminal=sys.stdout.isatty())
    can_redraw = console.is_terminal and not console.is_dumb_terminal
    painting = _painting if can_redraw else _telling
    with painting(url, console) as paint:

        def show(standing: Standing) -> None:
            try:
                paint(standing)
            except OSError:  # the terminal closed, or `| head` had enough
                _fall_silent()

        yield show


@contextmanager
def _painting(url: str, console: Console) -> Iterator[Callable[[Standing], None]]:
    teller, started = _Teller(partial(console.out, highlight=False)), time.monotonic()
    with Live(console=console, auto_refresh=False, transient=True) as live:

        def paint(standing: Standing) -> None:
            teller.tell_endings(standing)
            seconds = time.monotonic() - started
            live.update(view(standing, url, seconds, console.width), refresh=True)

        yield paint


@contextmanager
def _telling(url: str, console: Console) -> Iterator[Callable[[Standing], None]]:
    # Not the console's own printing: it ends the program when the pipe it writes to is closed,
    # and Ctrl-C in `search run | tee log` closes it just when the workers are to drain.
    say = partial(print, file=console.file, flush=True)
    if url:
        say(f"dashboard: {url}")
    yield _Teller(say).tell


def _fall_silent() -> None:
    """Let whatever is said from now on go nowhere."""
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - it is no file
        if os.path.sameopenfile(1, 2):
            os.dup2(nowhere.fileno(), 2)
        os.dup2(nowhere.fileno(), 1)


def view(standing: Standing, url: str, elapsed_seconds: float, width: int) -> RenderableType:
    """Draw how the study stands: its head, each worker, and all of it together."""
    lines: list[RenderableType] = [_line(wording.title(standing), "bold")]
    if url:
        lines.append(_line(f"dashboard {url}", "cyan"))
    lines += [_bar(standing, width), _line(_totals(standing, elapsed_seconds))]
    lines.append(_line(wording.best(standing), "green"))
    if standing.note:
        lines.append(Text(standing.note, "yellow"))
    if standing.live_workers:
        lines.append(_workers(standing, width))  # last: a low terminal cuts the end off
    return Group(*lines)


class _Teller:
    """Says what is new since the standing before."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._before: Standing | None = None

    def tell(self, standing: Standing) -> None:
        for event in events(self._before, standing):
            self._say(event.line)
        self._before = standing

    def tell_endings(self, standing: Standing) -> None:
        """The rest is in the view."""
        for event in events(self._before, standing) if self._before else []:
            if event.is_ending:
                self._say(event.line)
        self._before = standing


def _line(text: str, style: str = "") -> Text:
    return Text(text, style, no_wrap=True, overflow="ellipsis")


def _bar(standing: Standing, width: int) -> RenderableType:
    bar = ProgressBar(standing.study.trials, len(standing.final), width=min(width, WIDE_COLUMNS))
    return Align.left(bar)  # ends the line, which a bar alone does not


def _totals(standing: Standing, elapsed_seconds: float) -> str:
    left_seconds = standing.remaining_seconds()
    parts = [wording.counts(standing), f"{wording.duration(elapsed_seconds)} elapsed"]
    if left_seconds is not None:
        parts.append(f"about {wording.duration(left_seconds)} to go")
    return " · ".join(parts)


def _workers(standing: Standing, width: int) -> RenderableType:
    is_wide = width >= WIDE_COLUMNS
    headings = ["worker", "trial", "epoch", standing.study.metric]
    table = Table(*headings, *(["images/s", "device"] if is_wide else []), box=None)
    for worker in standing.live_workers:
        table.add_row(*_cells(standing, worker)[: len(table.columns)])
    return table


def _cells(standing: Standing, worker: WorkerRow) -> list[str]:
    trial = standing.trial(worker.trial)
    if trial is None:
        return [worker.worker, "", "waiting", "", "", worker.device]
    last = trial.last
    return [
        worker.worker,
        str(trial.number),
        wording.epochs(standing, trial),
        wording.number(last.value) if last else "",
        f"{last.images / last.seconds:.0f}" if last and last.seconds else "",
        worker.device,
    ]
