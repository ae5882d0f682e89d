"""The one way to the test split, which writes down that it was taken."""

from dataclasses import replace

from objectives.contract import Attempt
from storage.store import Store


def open_test(store: Store, study: str, attempt: Attempt, used_by: str, purpose: str) -> Attempt:
    """Give the attempt with the test split open to it, once that is written down as a use.

    The row is committed before any test image can be read: who opens it and dies has used it.
    used_by: the worker or process. purpose: what for, such as "confirm".
    """
    store.note_test_use(study, used_by, purpose)
    return replace(attempt, splits=(*attempt.splits, "test"))
