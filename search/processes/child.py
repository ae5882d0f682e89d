"""A process that is kept running: started, watched, started again after a pause."""

import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from search.processes.spawn import kill, spawn

LONGEST_PAUSE_SECONDS = 30.0


@dataclass
class Child:
    """One command's process, the one before it, and when the next may start.

    log: both streams of every process go there. environment: all of theirs.
    """

    log: Path
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    _start_at: float = 0.0
    _said_from: int = field(default=0, repr=False)

    @property
    def may_start(self) -> bool:
        """Whether none is running and the pause is over."""
        return self.process is None and time.monotonic() >= self._start_at

    @property
    def is_paused(self) -> bool:
        """Whether somebody stopped the process with SIGSTOP."""
        with suppress(psutil.Error):
            return bool(
                self.process and psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED
            )
        return False

    def start(self, command: Sequence[str], fds: Sequence[int] = ()) -> None:
        """Start a process, handing it open files; its words are what the log gains from here on."""
        self._said_from = self.log.stat().st_size if self.log.exists() else 0
        self.process = spawn(command, self.log, self.environment, fds)

    def ended(self) -> int | None:
        """Give the exit code of a process that has ended, once; it is negative after a signal."""
        code = self.process.poll() if self.process else None
        if code is not None:
            self.kill()  # whatever it had started itself
            self.process = None
        return code

    def pause(self, deaths: int) -> None:
        """Wait before the next start: 0, 1, 2, 4... s after 0, 1, 2, 3... deaths in a row."""
        seconds = 2.0 ** (deaths - 1) if deaths else 0.0
        self._start_at = time.monotonic() + min(seconds, LONGEST_PAUSE_SECONDS)

    def terminate(self) -> None:
        """Ask the process to finish what it is at."""
        if self.process:
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process, and whatever it started, at once."""
        if self.process:
            kill(self.process)

    def last_words(self) -> str:
        """Give the last line that the latest process wrote."""
        with self.log.open("rb") as log:
            log.seek(max(self._said_from, self.log.stat().st_size - 10_000))
            lines = log.read().decode(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "it said nothing")


def describe_exit(code: int) -> str:
    """Say how a process ended: "exit code 1" or the name of the signal that killed it."""
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
