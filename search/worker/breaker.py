"""Stop a study whose code is broken, not its configurations."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from search.errors import StudyBroken
from storage.rows import Outcome, TrialRow

SAME_ERRORS = 3


def check_broken(study: str, trials: Iterable[TrialRow], since: datetime) -> None:
    """Raise StudyBroken if three trials since the last complete one ended by the same error.

    Two errors are the same if their type, file and line are.

    since: trials that ended earlier do not count, for the code may have been mended.
    """
    ended = [
        (trial.ended_at, trial.number, trial)
        for trial in trials
        if trial.ended_at and trial.ended_at >= since
    ]
    seen: Counter[str] = Counter()
    for _, _, trial in sorted(ended, reverse=True):
        if trial.outcome == Outcome.FINISHED:
            return
        if trial.outcome == Outcome.CODE_ERROR and trial.where:
            seen[trial.where] += 1
            if seen[trial.where] == SAME_ERRORS:
                raise StudyBroken(
                    f"study {study!r} is stopped: {SAME_ERRORS} trials ended by the same error"
                    f" ({trial.detail})",
                    f"mend it and `search run --study {study}` goes on, or start a changed study"
                    " with --as NAME",
                )
