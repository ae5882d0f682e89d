"""Repeat a call while the database or the artifact store does not answer."""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from storage.errors import Unreachable

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class RetryPolicy:
    """How long to repeat a call that raises Unreachable.

    is_stopping: called before each retry; True to give up at once, when the process shuts down.
    minutes: how long to go on otherwise.
    """

    is_stopping: Callable[[], bool]
    minutes: float = 15.0

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` with the arguments, again while it raises Unreachable.

        The function must be idempotent: the answer to a call that succeeded can be lost.
        Raises Unreachable when the time is over or the process is stopping.
        """
        ends_at = time.monotonic() + self.minutes * 60
        pause_seconds = FIRST_PAUSE_SECONDS
        while True:
            try:
                return function(*args, **kwargs)
            except Unreachable as error:
                if self.is_stopping() or time.monotonic() >= ends_at:
                    raise
                log.warning("%s; trying again in %.1f s", error, pause_seconds)
                # Jitter, so that many workers do not come back all at once.
                time.sleep(pause_seconds * random.uniform(0.5, 1.0))
                pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)
