"""The script as its worker sees it: started, asked to end, killed, and how it ended."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from objectives.script import keeper
from objectives.script.orphans import kill_orphans

# Nothing outlives SIGKILL for long but what waits for a disk or a network file system.
KILL_SECONDS = 20.0


class ScriptProcess:
    """A running script with all its processes; a context manager that leaves none of them.

    words: the command.
    folder: in which it runs.
    environment: its whole environment.
    output: the file that receives both streams, which is closed here.
    """

    def __init__(
        self, words: Sequence[str], folder: Path, environment: Mapping[str, str], output: int
    ) -> None:
        kill_orphans()
        self._control, theirs = socket.socketpair()
        number = theirs.fileno()
        # -I and -S: no variable and no site-packages can slow the keeper down or break it.
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", keeper.__file__, str(number), *words],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[number],
            start_new_session=True,  # whoever kills the worker's group does not kill its keeper
        )
        theirs.close()
        os.close(output)
        self._rest = b""  # a line of the keeper's that has not ended
        self.exit_code: int | None = None  # negative after a signal, as in `subprocess`
        self.start_error: int | None = None  # the `errno` with which it could not be started

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self.is_over:
            self.kill()
        self._control.close()
        self._keeper.wait()

    @property
    def is_over(self) -> bool:
        """Whether the script and all its processes have ended."""
        return self.exit_code is not None

    def fileno(self) -> int:
        """Return a file that is readable once the script has ended."""
        return self._control.fileno()

    def read(self) -> None:
        """Read how the script ended; to be called once `fileno` is readable."""
        data = self._receive()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            word, _, number = line.decode().rpartition(" ")
            if word == keeper.NOT_STARTED:
                self.start_error = int(number)
            else:
                self.exit_code = _exit_code(int(number))
        if not data and not self.is_over:
            self._bury_keeper()

    def terminate(self) -> None:
        """Send SIGTERM to the script's process group."""
        self._tell(keeper.TERMINATE)

    def kill(self) -> None:
        """Kill every process of the script, and wait for the end."""
        self._tell(keeper.KILL)
        self._control.settimeout(KILL_SECONDS)
        while not self.is_over:
            self.read()

    def _receive(self) -> bytes:
        """Read what the keeper told; nothing where it is gone, or silent for too long."""
        with suppress(OSError):
            return self._control.recv(4096)
        return b""

    def _bury_keeper(self) -> None:
        """End what the keeper has left, where somebody killed it."""
        with suppress(ProcessLookupError):
            self._keeper.kill()
        self._keeper.wait()
        kill_orphans()
        self.exit_code = -signal.SIGKILL

    def _tell(self, order: bytes) -> None:
        with suppress(OSError):
            self._control.send(order)


def _exit_code(status: int) -> int:
    """Return the exit code of a status of `os.wait`; -1 is one that had to be killed."""
    return -signal.SIGKILL if status < 0 else os.waitstatus_to_exitcode(status)
