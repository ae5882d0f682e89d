"""Waiting for a database or an artifact store that cannot be reached."""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from storage.errors import Unreachable

log = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS = 5.0

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Patience:
    """Calls the database or the artifact store until it answers.

    is_over: asked before every further try; a process that is told to stop waits for nobody.
    """

    is_over: Callable[[], bool]
    minutes: float = 15.0

    def __call__(self, call: Callable[[], Answer]) -> Answer:
        """Give what `call` gives, trying again while it raises Unreachable.

        `call` must be idempotent: an acknowledgement can be lost. Raises Unreachable when
        patience ends.
        """
        ends_at = time.monotonic() + self.minutes * 60
        pause_seconds = 0.2
        while True:
            try:
                return call()
            except Unreachable as error:
                if self.is_over() or time.monotonic() >= ends_at:
                    raise
                log.warning("%s; trying again in %.1f s", error, pause_seconds)
                # Jitter, so that many workers do not come back all at once.
                time.sleep(pause_seconds * random.uniform(0.5, 1.0))
                pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)
