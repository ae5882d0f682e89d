"""A study and a worker to store, where a test does not care which."""

from typing import Any

from storage.rows import NewStudy, NewWorker


def new_study(name: str = "toy", **changes: Any) -> NewStudy:
    """Build a study of one trial, but for the changes."""
    plain = {"name": name, "definition": {}, "direction": "minimize", "trials": 1}
    prints = {"fingerprint": "print", "data_fingerprint": "data"}
    return NewStudy(**{**plain, **prints, **changes})


def new_worker(name: str = "ada", **changes: Any) -> NewWorker:
    """Build a worker on a CPU, but for the changes."""
    plain = {"name": name, "host": "host", "pid": 7, "device": "cpu", "threads": 1}
    return NewWorker(**{**plain, **changes})
