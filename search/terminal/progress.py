"""The progress of `search run`: a live view on a terminal, plain lines elsewhere."""

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
from rich.table import Column, Table
from rich.text import Text

from dashboards.analysis import wording
from dashboards.analysis.snapshot import Snapshot
from search.terminal.events import events
from storage.rows import WorkerRow

WIDE_COLUMNS = 70  # a narrower terminal gets only the more important columns


@contextmanager
def watching(
    page: Callable[[], str], console: Console | None = None
) -> Iterator[Callable[[Snapshot], None]]:
    """Yield a function that shows a snapshot: a live view on a terminal, else a line per event.

    A terminal that closes, or a reader that stops reading, does not end the run.

    page: returns the address of the study's page as it is now, "" without one.
    """
    # Detected once: rich asks at every write, and a terminal that has closed no longer counts as
    # one.
    console = console or Console(force_terminal=sys.stdout.isatty())
    can_redraw = console.is_terminal and not console.is_dumb_terminal
    painting = _painting if can_redraw else _telling
    with painting(page, console) as paint:

        def show(snapshot: Snapshot) -> None:
            try:
                paint(snapshot)
            except OSError:  # the terminal closed, or `| head` has read enough
                _fall_silent()

        yield show


@contextmanager
def _painting(page: Callable[[], str], console: Console) -> Iterator[Callable[[Snapshot], None]]:
    teller, started = _Teller(partial(console.out, highlight=False)), time.monotonic()
    with Live(console=console, auto_refresh=False, transient=True) as live:

        def paint(snapshot: Snapshot) -> None:
            teller.tell_endings(snapshot)
            seconds = time.monotonic() - started
            live.update(view(snapshot, page(), seconds, console.width), refresh=True)

        yield paint


@contextmanager
def _telling(page: Callable[[], str], console: Console) -> Iterator[Callable[[Snapshot], None]]:
    # Not through the console, which ends the program when the pipe it writes to is closed,
    # and Ctrl-C in `search run | tee log` closes that pipe while the workers still drain.
    say = partial(print, file=console.file, flush=True)
    teller, told = _Teller(say), [""]

    def tell(snapshot: Snapshot) -> None:
        if (url := page()) not in ("", told[-1]):
            told.append(url)
            say(f"dashboard: {url}")
        teller.tell(snapshot)

    yield tell


def _fall_silent() -> None:
    """Discard all further output."""
    with open(os.devnull, "wb") as null:  # noqa: PTH123 - a device, not a file
        if os.path.sameopenfile(1, 2):
            os.dup2(null.fileno(), 2)
        os.dup2(null.fileno(), 1)


def view(snapshot: Snapshot, url: str, elapsed_seconds: float, width: int) -> RenderableType:
    """Draw a study: its title, the progress of all trials, the best one, and each worker.

    url: the dashboard's address, "" without one.
    width: the columns of the terminal.
    """
    lines: list[RenderableType] = [_line(wording.title(snapshot), "bold")]
    if url:
        lines.append(_line(f"dashboard {url}", "cyan"))
    lines += [_bar(snapshot, width), _line(_totals(snapshot, elapsed_seconds))]
    lines.append(_line(wording.best(snapshot), "green"))
    if snapshot.note:
        lines.append(Text(snapshot.note, "yellow"))
    if snapshot.live_workers:
        lines.append(_workers(snapshot, width))  # last, because a low terminal cuts off the end
    return Group(*lines)


class _Teller:
    """Prints the events since the previous snapshot."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._before: Snapshot | None = None

    def tell(self, snapshot: Snapshot) -> None:
        for event in events(self._before, snapshot):
            self._say(event.line)
        self._before = snapshot

    def tell_endings(self, snapshot: Snapshot) -> None:
        """Print only the ends of trials: the live view shows the rest."""
        for event in events(self._before, snapshot) if self._before else []:
            if event.is_ending:
                self._say(event.line)
        self._before = snapshot


def _line(text: str, style: str = "") -> Text:
    return Text(text, style, overflow="fold")


def _bar(snapshot: Snapshot, width: int) -> RenderableType:
    bar = ProgressBar(snapshot.study.trials, snapshot.ended, width=min(width, WIDE_COLUMNS))
    return Align.left(bar)  # ends the line, which a bar alone does not


def _totals(snapshot: Snapshot, elapsed_seconds: float) -> str:
    left_seconds = snapshot.remaining_seconds()
    parts = [wording.counts(snapshot), f"{wording.duration(elapsed_seconds)} elapsed"]
    if left_seconds is not None:
        parts.append(f"about {wording.duration(left_seconds)} to go")
    return " · ".join(parts)


def _workers(snapshot: Snapshot, width: int) -> RenderableType:
    is_wide = width >= WIDE_COLUMNS
    headings = ["worker", "trial", "epoch", snapshot.study.metric]
    columns = [*headings, *(["images/s", "device"] if is_wide else [])]
    table = Table(*(Column(name, overflow="fold") for name in columns), box=None)
    for worker in snapshot.live_workers:
        table.add_row(*_cells(snapshot, worker)[: len(table.columns)])
    return table


def _cells(snapshot: Snapshot, worker: WorkerRow) -> list[str]:
    trial = snapshot.running_trial(worker.trial)
    if trial is None:
        return [worker.worker, "", "waiting", "", "", worker.device]
    last = trial.last
    return [
        worker.worker,
        str(trial.number),
        wording.epochs(snapshot, trial),
        wording.number(last.value) if last else "",
        f"{last.images / last.seconds:.0f}" if last and last.seconds else "",
        worker.device,
    ]
