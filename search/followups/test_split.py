"""The only way to the test split, which records each use of it."""

from dataclasses import replace

from objectives.contract import Attempt
from storage.store import Store


def open_test(store: Store, study: str, attempt: Attempt, used_by: str, purpose: str) -> Attempt:
    """Record a use of the test split, and return the attempt with that split open to it.

    The row is committed before any test image can be read, so that a process that opens the split
    and then dies has used it, too.

    used_by: the worker or process.
    purpose: the reason, such as "confirm".
    """
    store.note_test_use(study, used_by, purpose)
    return replace(attempt, splits=(*attempt.splits, "test"))
