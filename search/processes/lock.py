"""One `search run` per study and machine; crews of workers beside it have numbers."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from objectives.files.lock import try_lock
from search.errors import AlreadyRunning


@contextmanager
def run_lock(study: str, folder: Path) -> Iterator[None]:
    """Hold the study on this machine for as long as the block lasts; any death releases it.

    folder: the study's own folder.
    Raises AlreadyRunning when another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "run.lock").open("a+") as file:
        if not try_lock(file):
            raise _refusal(study, (folder / "run.lock").read_text())
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def crew_number(folder: Path) -> Iterator[int]:
    """Hold the first number from 1 that no other crew of the study holds in this home.

    folder: the study's own folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        with (folder / f"crew-{number}.lock").open("a+") as file:
            if try_lock(file):
                yield number
                return


def _refusal(study: str, pid: str) -> AlreadyRunning:
    return AlreadyRunning(
        f"study {study!r} is being run on this machine by process {pid or '(starting)'}",
        f"add a worker to it with `search worker --study {study}`, or end it with"
        f" `search stop --study {study}`",
    )
