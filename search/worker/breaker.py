"""When a study is stopped because its code is broken, not its configurations."""

from collections.abc import Iterable
from datetime import datetime

from search.errors import StudyBroken
from storage.rows import Outcome, TrialRow

SAME_ERRORS = 3


def check_broken(study: str, trials: Iterable[TrialRow], since: datetime) -> None:
    """Raise StudyBroken when three trials ended by the same error since one was complete.

    The same: its type, file and line, which a code_error's detail begins with.
    since: what ended before does not count, for the code may have been mended meanwhile.
    """
    ended = [
        (trial.ended_at, trial.number, trial)
        for trial in trials
        if trial.ended_at and trial.ended_at >= since
    ]
    seen: dict[str, int] = {}
    for _, _, trial in sorted(ended, reverse=True):
        if trial.outcome == Outcome.FINISHED:
            return
        if trial.outcome == Outcome.CODE_ERROR and trial.detail:
            place = trial.detail.partition(": ")[0]
            seen[place] = seen.get(place, 0) + 1
            if seen[place] == SAME_ERRORS:
                raise StudyBroken(
                    f"study {study!r} is stopped: {SAME_ERRORS} trials ended by the same"
                    f" {trial.detail}; mend it and `search run --study {study}` goes on, or start a"
                    " changed study with --as NAME"
                )
