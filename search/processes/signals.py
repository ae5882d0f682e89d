"""Requests to end a process, by signal: finish the epoch first, or stop now."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# `timeout` sends each signal twice at once, to its child and to the child's group: count it once.
SAME_REQUEST_SECONDS = 0.3


class StopFlag:
    """The requests so far: `draining` after the first one, `now` after the second."""

    def __init__(self) -> None:
        self._first_at: float | None = None
        self.now = False

    @property
    def draining(self) -> bool:
        """Whether to finish the epoch in flight, checkpoint it and hand the trial back."""
        return self._first_at is not None

    def drain(self) -> None:
        """Request a drain, as the first signal does."""
        self._first_at = self._first_at or time.monotonic()

    def receive(self, signum: int, _frame: FrameType | None = None) -> None:
        """Handle one signal as a request; SIGHUP only ever requests a drain."""
        repeated = self._first_at and time.monotonic() - self._first_at > SAME_REQUEST_SECONDS
        # A closing terminal sends SIGHUP more than once: from the shell, then from the kernel.
        self.now = self.now or bool(repeated and signum != signal.SIGHUP)
        self.drain()


@contextmanager
def listening() -> Iterator[StopFlag]:
    """Turn SIGINT, SIGTERM and SIGHUP into requests for as long as the block lasts."""
    flag = StopFlag()
    before = {signum: signal.getsignal(signum) for signum in _heard_signals()}
    for signum in before:
        signal.signal(signum, flag.receive)
    try:
        yield flag
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _heard_signals() -> list[signal.Signals]:
    heard = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # `nohup` ignores it
        heard.append(signal.SIGHUP)
    return heard
