"""One `search run` per study and machine; crews of workers beside it have numbers."""

import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import IO

from objectives.files.lock import try_lock
from search.errors import AlreadyRunning
from search.processes.devices import DeviceShare
from search.processes.gpus import named

FIRST = "run.lock"  # held by the first of the machines that run a study in one home


@contextmanager
def run_lock(study: str, folder: Path) -> Iterator[str]:
    """Hold the study on this machine for as long as the block lasts; any death releases it.

    Yield the beginning of the names of its logs: "" for the first run in this home, the machine's
    name where the run of another machine that shares the home came before it.

    folder: the study's own folder.
    Raises AlreadyRunning when another process of this machine holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    host = socket.gethostname()
    with (folder / f"run-{host}.lock").open("a+") as ours, (folder / FIRST).open("a+") as first:
        _take(ours, study)
        is_first = try_lock(first)
        if is_first:
            _sign(first)
        yield "" if is_first else f"{host}-"


@contextmanager
def sole_lock(study: str, folder: Path) -> Iterator[None]:
    """Hold the study on every machine that shares this home; AlreadyRunning when one runs it.

    folder: the study's own folder.
    """
    with run_lock(study, folder) as beside:
        if beside:
            raise _refusal(study, (folder / FIRST).read_text())
        yield


@contextmanager
def gpus_held(study: str, folder: Path, shares: Iterable[DeviceShare]) -> Iterator[None]:
    """Hold the GPUs of a run or a crew for as long as the block lasts, for this study.

    Raises AlreadyRunning where another run or crew of the study has one: together they would take
    more memory than was planned, and trials would fail for the lack of it.

    folder: the study's own folder.
    """
    names = {share.visible: share.label for share in shares if share.device == "cuda"}
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        for visible, label in names.items():
            path = folder / f"gpu-{socket.gethostname()}-{visible.replace('/', '-')}.lock"
            file = held.enter_context(path.open("a+"))
            if not try_lock(file):
                raise AlreadyRunning(
                    f"study {study!r} is being run on {named(label)} already",
                    "start that run or crew again with --per-gpu, or choose another GPU with"
                    " CUDA_VISIBLE_DEVICES",
                )
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


def _take(file: IO[str], study: str) -> None:
    if not try_lock(file):
        file.seek(0)
        raise _refusal(study, file.read())
    _sign(file)


def _sign(file: IO[str]) -> None:
    """Write the holder of a lock into its file, for the error of the next one."""
    file.truncate(0)
    file.write(f"process {os.getpid()} of {socket.gethostname()}")
    file.flush()


def _refusal(study: str, holder: str) -> AlreadyRunning:
    return AlreadyRunning(
        f"study {study!r} is being run by {holder or 'a process that just starts'}",
        f"add a worker to it with `search worker --study {study}`, or end it with"
        f" `search stop --study {study}`",
    )
