"""The fleet of a study, remembered in its folder of the home between commands."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from objectives.files.lock import try_lock
from objectives.files.whole import write_text_whole
from search.errors import AlreadyRunning, UsageError
from search.fleet.engine import ENGINES, Fleet
from search.fleet.options import are_options
from search.settings import Settings


def remember(settings: Settings, fleet: Fleet) -> None:
    """Note a fleet, in the place of an earlier one of its study."""
    file = fleet_file(settings, fleet.study)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text_whole(file, json.dumps(asdict(fleet), indent=2))


def remembered(settings: Settings, study: str) -> Fleet | None:
    """Return the fleet of a study, None where this home has started none."""
    try:
        return _checked(Fleet(**json.loads(fleet_file(settings, study).read_text())), study)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, AttributeError):
        raise UsageError(
            f"{fleet_file(settings, study)} is not a fleet's file",
            f"remove it, and repeat `search fleet up --study {study}` with all its options; it"
            " finds the workers",
        ) from None


def forget(settings: Settings, study: str) -> None:
    """Remove the note of a fleet that is down."""
    fleet_file(settings, study).unlink(missing_ok=True)


@contextmanager
def sole_command(settings: Settings, study: str) -> Iterator[None]:
    """Hold a study's fleet for a command that changes it; AlreadyRunning where another does.

    It holds for this home alone. An `up` beside a `down` would start again what the other waits
    to see ended.
    """
    folder = settings.study_folder(study)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "fleet.lock").open("a+") as file:
        if not try_lock(file):
            file.seek(0)
            raise AlreadyRunning(
                f"another command changes the fleet of {study} now ({file.read()})",
                "wait for its end, or end it with Ctrl-C, and repeat this one",
            )
        file.truncate(0)
        file.write(f"process {os.getpid()} of {socket.gethostname()}")
        file.flush()
        yield


def fleet_file(settings: Settings, study: str) -> Path:
    """Return the file that remembers a study's fleet."""
    return settings.study_folder(study) / "fleet.json"


def _checked(fleet: Fleet, study: str) -> Fleet:
    """Return a fleet that was read from a file; ValueError where it cannot be that of the study."""
    texts = (fleet.job, fleet.address or "", fleet.secrets or "")
    names = (*fleet.environment, *fleet.environment.values(), *fleet.details.keys())
    is_typed = isinstance(fleet.workers, int) and all(
        isinstance(text, str) for text in (*texts, *names)
    )
    if (
        not is_typed
        or not fleet.job
        or not are_options(fleet.options)
        or fleet.study != study
        or fleet.engine not in ENGINES
    ):
        raise ValueError
    return fleet
