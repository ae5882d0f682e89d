"""A run that goes on without the terminal it was typed in."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class UnderWay:
    """What a detached run tells the command that started it. url: its dashboard's, or ""."""

    study: str
    pid: int
    url: str
    log: str


def start_detached(
    command: Sequence[str], environment: Mapping[str, str] | None = None
) -> UnderWay | int:
    """Start a command in a session of its own; give what it says, or the exit code it failed with.

    The command gets `--ready-fd N` and calls `go_silent` with it once it is under way. Until then
    it speaks to this terminal, so that its errors are seen.
    """
    hears, says = os.pipe()
    with os.fdopen(hears) as answer:
        process = subprocess.Popen(
            [*command, "--ready-fd", str(says)],
            stdin=subprocess.DEVNULL,
            env=environment,
            pass_fds=[says],
            start_new_session=True,
        )
        os.close(says)
        try:
            line = answer.read()  # to its end: that of the run, or the run's word
        except BaseException:  # Ctrl-C: nobody wants it any more
            process.terminate()
            raise
    return UnderWay(**json.loads(line)) if line else process.wait()


def go_silent(ready_fd: int, under_way: UnderWay) -> None:
    """Turn both streams to the log and tell the command that waits that the run is under way."""
    log = Path(under_way.log)
    with log.open("ab") as file:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(file.fileno(), stream.fileno())
    with os.fdopen(ready_fd, "w") as says:
        json.dump(asdict(under_way), says)
