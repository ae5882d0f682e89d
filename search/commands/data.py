"""`search data make`: practice data for a study."""

import sys
from argparse import Namespace

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from objectives.practice.make import make_practice
from search.settings import Settings


def make(arguments: Namespace, settings: Settings) -> int:
    """Draw a study's practice set: the real layout and names, generated images."""
    dirt = arguments.dirt.split(",") if arguments.dirt else []
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    # A refusal is its one line alone: no bar above it, nothing at all of one in a log file.
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(f"practice images for {arguments.study}", total=None)
        make_practice(
            arguments.study,
            arguments.out,
            arguments.images,
            arguments.seed,
            dirt,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    then = f"search {'check' if dirt else 'run'} --study {arguments.study} --data {arguments.out}"
    print(f"{arguments.out}: practice data for {arguments.study}. Next: {then}", file=sys.stderr)
    return 0
