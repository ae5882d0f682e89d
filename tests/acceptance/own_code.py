"""The processes and the epochs of a study of one's own code, for the tests beside this file."""

import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import psutil

from storage.errors import UnknownStudy
from storage.store import Store
from tests.acceptance.conftest import Place


def workers_of(pid: int) -> list[psutil.Process]:
    """Return the workers that a run has started."""
    try:
        children = psutil.Process(pid).children(recursive=True)
        return [each for each in children if "worker" in each.cmdline()]
    except psutil.NoSuchProcess:
        return []


def scripts_of(place: Place) -> list[psutil.Process]:
    """List the processes of scripts whose attempts lie in the place."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            trial = process.environ().get("SEARCH_TRIAL_FILE", "")
            if trial.startswith(str(place.folder)):
                found.append(process)
    return found


def kill(find: Callable[[], Sequence[psutil.Process]]) -> None:
    """SIGKILL one of the processes that are found, once there is one."""
    until = time.monotonic() + 60
    while not (victims := find()):
        assert time.monotonic() < until, "there is nobody to kill"
        time.sleep(0.05)
    with suppress(psutil.NoSuchProcess):
        random.choice(victims).kill()


def wait_for_epochs(store: Store, name: str, count: int) -> None:
    """Wait until so many epochs of a study are recorded."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        with suppress(UnknownStudy):
            if len(store.epochs(name)) >= count:
                return
        time.sleep(0.05)
    raise AssertionError(f"{name} has not {count} epochs")
