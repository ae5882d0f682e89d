"""Progress reports of a long task, apart from the way they are shown."""

from collections.abc import Callable

# Called with the stage that is under way, the steps done in it, and all its steps where known.
Progress = Callable[[str, int, int | None], None]


def silent(stage: str, done: int, total: int | None) -> None:
    """Show nothing."""


class Steps:
    """Counts the steps of one stage and reports each."""

    def __init__(self, stage: str, progress: Progress) -> None:
        self.count = 0
        self._stage = stage
        self._progress = progress
        self._total: int | None = None

    def expect(self, total: int) -> None:
        """Set the number of all steps."""
        self._total = total
        self._progress(self._stage, self.count, total)

    def step(self) -> None:
        """Count one step more."""
        self.count += 1
        self._progress(self._stage, self.count, self._total)
