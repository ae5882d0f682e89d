"""Stop a study whose code is broken, not its configurations."""

from search.errors import StudyBroken
from search.worker.endings import Failed
from search.worker.worker import Worker
from storage.rows import Outcome

SAME_ERRORS = 3


def check_broken(worker: Worker, failed: Failed) -> None:
    """Raise StudyBroken when a trial's error was the third of its kind in a row.

    Two errors are the same if their type, file and line are. Errors before this worker began do not
    count, for the code may have been mended; one trial that went through its schedule ends the row.
    """
    name = worker.study.name
    if failed.outcome != Outcome.CODE_ERROR or not failed.where:
        return
    if worker.retrying_store.count_same_errors(name, worker.name, failed.where) >= SAME_ERRORS:
        accepting = (
            " --accept-code" if worker.stored.found.own else ""
        )  # what was mended has changed
        raise StudyBroken(
            f"{SAME_ERRORS} trials of study {name!r} ended by the same error ({failed.detail})",
            f"mend it and `search run --study {name}{accepting}` goes on, or start a changed study"
            " with --as NAME",
        )
