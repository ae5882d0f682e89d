"""When a study is stopped because its code is broken, not its configurations."""

from collections.abc import Iterable

from search.errors import StudyBroken
from storage.rows import TrialRow

SAME_ERRORS = 3


def check_broken(study: str, trials: Iterable[TrialRow]) -> None:
    """Raise StudyBroken when three trials ended by the same error since one was complete.

    The same: its type, file and line, which a code_error's detail begins with.
    """
    ended = [(trial.ended_at, trial.number, trial) for trial in trials if trial.ended_at]
    seen: dict[str, int] = {}
    for _, _, trial in sorted(ended, reverse=True):
        if trial.outcome == "finished":
            return
        if trial.outcome == "code_error" and trial.detail:
            place = trial.detail.partition(": ")[0]
            seen[place] = seen.get(place, 0) + 1
            if seen[place] == SAME_ERRORS:
                raise StudyBroken(
                    f"study {study!r} is stopped: {SAME_ERRORS} trials ended by the same"
                    f" {trial.detail}; mend it, then `search run --study {study}` goes on"
                )
