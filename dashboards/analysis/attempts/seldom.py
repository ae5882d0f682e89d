"""Reading less often what seldom changes."""

import time

SECONDS = 10.0


class Seldom:
    """Says when to read something again: once it has changed, and else every ten seconds."""

    def __init__(self) -> None:
        self._read_at: float | None = None

    def is_due(self, *, is_changed: bool = False) -> bool:
        """Say whether to read it now; the next ten seconds begin with a yes."""
        now = time.monotonic()
        if is_changed or self._read_at is None or now - self._read_at >= SECONDS:
            self._read_at = now
            return True
        return False
