"""A run that goes on without the terminal in which it was typed."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class UnderWay:
    """The message of a detached run to the command that started it, sent once the run works."""

    study: str
    pid: int
    url: str  # the dashboard's address, "" without one
    log: str


def start_detached(
    command: Sequence[str], environment: Mapping[str, str] | None = None
) -> UnderWay | int:
    """Start a command in a session of its own; return its message, or its exit code if it failed.

    The command gets `--ready-fd N` and calls `go_silent` with it once it works. Until then it
    writes to this terminal, so that its errors are seen.
    """
    reading, writing = os.pipe()
    with os.fdopen(reading) as answer:
        process = subprocess.Popen(
            [*command, "--ready-fd", str(writing)],
            stdin=subprocess.DEVNULL,
            env=environment,
            pass_fds=[writing],
            start_new_session=True,
        )
        os.close(writing)
        try:
            line = answer.read()  # returns after the message, or when the run ends without one
        except BaseException:  # Ctrl-C: the run is no longer wanted
            process.terminate()
            raise
    return UnderWay(**json.loads(line)) if line else process.wait()


def go_silent(ready_fd: int, under_way: UnderWay) -> None:
    """Redirect both streams to the log, and send the message to the command that waits for it."""
    log = Path(under_way.log)
    with log.open("ab") as file:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(file.fileno(), stream.fileno())
    with os.fdopen(ready_fd, "w") as waiting:
        json.dump(asdict(under_way), waiting)
