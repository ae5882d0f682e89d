"""A study, a worker and an end of a trial to store, where a test does not care which."""

from typing import Any, Literal

import optuna
from optuna.samplers import RandomSampler

from storage.rows import Drawing, NewStudy, NewWorker, Outcome, TrialEnd
from storage.store import Claim, Store


class Explained(RandomSampler):
    """Draws always the same, and says of the draw what a test wants to be said."""

    def __init__(self, drawing: Drawing, *, is_new: bool = False) -> None:
        super().__init__(seed=0)
        self.drawing, self.is_new = drawing, is_new


def draw(store: Store, claim: Claim, drawing: Drawing, *, is_new: bool = False) -> None:
    """Draw the value `x` of a trial, with a note of how it was drawn."""
    with store.trial(claim, lambda _: Explained(drawing, is_new=is_new)) as trial:
        trial.suggest_float("x", 0, 1)


def stock_study(store: Store, name: str = "toy") -> optuna.Study:
    """Load a study as another program does, with Optuna alone; it writes."""
    url = store.engine.url.render_as_string(hide_password=False)
    return optuna.load_study(study_name=name, storage=url)


def new_study(name: str = "toy", **changes: Any) -> NewStudy:
    """Build a study of one trial, but for the changes."""
    plain = {"name": name, "definition": {}, "direction": "minimize", "trials": 1}
    prints = {"fingerprint": "print", "data_fingerprint": "data"}
    return NewStudy(**{**plain, **prints, **changes})


def new_worker(name: str = "ada", **changes: Any) -> NewWorker:
    """Build a worker on a CPU, but for the changes."""
    plain = {"name": name, "host": "host", "pid": 7, "device": "cpu", "threads": 1}
    return NewWorker(**{**plain, **changes})


def finished(value: float, **more: Any) -> TrialEnd:
    """Build the end of a trial with a value."""
    return TrialEnd(state="COMPLETE", value=value, outcome=Outcome.FINISHED, **more)


def ended(state: Literal["FAIL", "PRUNED"], outcome: str, detail: str | None = None) -> TrialEnd:
    """Build the end of a trial without a value."""
    return TrialEnd(state=state, value=None, outcome=Outcome(outcome), detail=detail)
