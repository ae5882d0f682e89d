"""Requests to end a process, by signal: finish the epoch first, or stop now."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# `timeout` sends each signal twice at once, to its child and to the child's group: count it once.
SAME_REQUEST_SECONDS = 0.3


# A closing terminal and a scheduler's warning: Slurm and Grid Engine send the user signals, a limit
# of CPU time is the last. They may come several times, and never mean "now".
WARNINGS = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)
REQUESTS = (signal.SIGINT, signal.SIGTERM, *WARNINGS)


class StopFlag:
    """The requests so far: `draining` after the first one, `now` after the second."""

    def __init__(self) -> None:
        self._first_at: float | None = None
        self._pipe: tuple[int, int] | None = None
        self.now = False

    @property
    def draining(self) -> bool:
        """Whether to finish the epoch in flight, checkpoint it and hand the trial back."""
        return self._first_at is not None

    def drain(self) -> None:
        """Request a drain, as the first signal does."""
        if self._first_at is None:
            self._first_at = time.monotonic()
            self._tell()

    def receive(self, signum: int, _frame: FrameType | None = None) -> None:
        """Handle one signal as a request; a warning only ever requests a drain."""
        repeated = self._first_at and time.monotonic() - self._first_at > SAME_REQUEST_SECONDS
        # A closing terminal sends SIGHUP more than once: from the shell, then from the kernel.
        self.now = self.now or bool(repeated and signum not in WARNINGS)
        self.drain()

    def fileno(self) -> int:
        """Return a file that is readable once a drain was requested; open until `close`.

        A wait needs it, because Python's own waits go on after a signal.
        """
        if self._pipe is None:
            self._pipe = os.pipe()
            if self.draining:  # a signal that comes here as well tells it twice
                self._tell()
        return self._pipe[0]

    def close(self) -> None:
        """Close the file."""
        if self._pipe:
            pipe, self._pipe = self._pipe, None
            for end in pipe:
                os.close(end)

    def _tell(self) -> None:
        if self._pipe:
            os.write(self._pipe[1], b"\0")


@contextmanager
def listening() -> Iterator[StopFlag]:
    """Turn the signals of REQUESTS into requests for as long as the block lasts."""
    flag = StopFlag()
    before = {signum: signal.getsignal(signum) for signum in REQUESTS}
    for signum, handler in before.items():
        if signum not in WARNINGS or handler != signal.SIG_IGN:  # `nohup` ignores SIGHUP
            signal.signal(signum, flag.receive)
    try:
        yield flag
    finally:
        for signum, handler in before.items():
            if handler is not None:  # None: a library in C set it
                signal.signal(signum, handler)
        flag.close()
