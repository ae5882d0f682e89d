"""A child process that is kept running: started, watched, and started again after a pause."""

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


@dataclass(kw_only=True)
class Child:
    """The process of one command: the running one, and the time at which the next may start."""

    log: Path  # receives both streams of every process
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    _start_at: float = field(default=0.0, repr=False)
    _log_start: int = field(default=0, repr=False)  # bytes in the log before this process

    @property
    def reason_file(self) -> Path:
        """The file in which a process may leave the error that ends it."""
        return self.log.with_suffix(".reason")

    @property
    def may_start(self) -> bool:
        """Whether no process runs and the pause is over."""
        return self.process is None and time.monotonic() >= self._start_at

    @property
    def is_paused(self) -> bool:
        """Whether the process is stopped by SIGSTOP."""
        with suppress(psutil.Error):
            return bool(
                self.process and psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED
            )
        return False

    def start(self, command: Sequence[str], fds: Sequence[int] = ()) -> None:
        """Start a process.

        fds: open files that the process inherits under the same numbers.
        """
        self.reason_file.unlink(missing_ok=True)
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        self.process = spawn(command, self.log, self.environment, fds)

    def ended(self) -> int | None:
        """Return the exit code of a process that has ended, once; it is negative after a signal."""
        code = self.process.poll() if self.process else None
        if code is not None:
            self.kill()  # the processes that it had started
            self.process = None
        return code

    def pause(self, deaths: int) -> None:
        """Delay the next start: 0, 1, 2, 4... up to 30 s after 0, 1, 2, 3... deaths in a row."""
        seconds = 2.0 ** (deaths - 1) if deaths else 0.0
        self._start_at = time.monotonic() + min(seconds, LONGEST_PAUSE_SECONDS)

    def terminate(self) -> None:
        """Ask the process to finish its work and end."""
        if self.process:
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the process and every process that it started."""
        if self.process:
            kill(self.process)

    def reason(self) -> str:
        """Return the error that ended the latest process, in one line.

        A process that was killed, or crashed, or met a full disk, leaves none: then it is the last
        line it wrote.
        """
        with suppress(FileNotFoundError):
            if reason := self.reason_file.read_text(encoding="utf-8"):
                return reason
        with self.log.open("rb") as log:
            log.seek(max(self._log_start, self.log.stat().st_size - 10_000))
            lines = log.read().decode(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "it wrote nothing")


def describe_exit(code: int) -> str:
    """Describe the end of a process: "exit code 1" or the name of the signal that killed it."""
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
