"""A study whose trials end as a test says, without training."""

from collections.abc import Sequence
from typing import Any

from optuna.samplers import RandomSampler

from spaces.params import Float
from spaces.stored import StoredStudy, fingerprint, to_json
from spaces.study import Study
from storage.rows import Drawing, TrialEnd
from storage.store import Claim, Store
from tests.storage.samples import Explained, new_study, new_worker


def make_study(store: Store, **changes: Any) -> Study:
    """Store a study with a registered worker."""
    declared: dict[str, Any] = {
        "name": "toy",
        "objective": "toy_curve",
        "metric": "val_loss",
        "direction": "minimize",
        "trials": 100,
        "space": [Float("learning_rate", 1e-5, 1.0, log=True)],
    }
    study = Study(**declared | changes)
    stored = StoredStudy(study)
    store.create(
        new_study(
            definition=to_json(stored),
            direction=study.direction,
            fingerprint=fingerprint(stored),
            trials=study.trials,
        )
    )
    store.register_worker("toy", new_worker())
    return study


def begin_trial(
    store: Store,
    study: Study | None = None,
    curve: Sequence[float] = (),
    drawing: Drawing | None = None,
) -> Claim:
    """Claim a trial, draw its values, and record a curve.

    drawing: a note of how the values were drawn.
    """
    claim = store.claim("toy", "ada", lease_seconds=30)
    assert isinstance(claim, Claim)
    with store.trial(claim, lambda _: Explained(drawing) if drawing else RandomSampler()) as trial:
        if study:
            study.space.suggest(trial)
    for epoch, value in enumerate(curve, start=1):
        store.record(claim, epoch, {"val_loss": value}, value, seconds=1.0, images=10)
    return claim


def end_trial(store: Store, end: TrialEnd, *how: Any, **more: Any) -> Claim:
    """Begin a trial, as `begin_trial` does, and tell its end."""
    claim = begin_trial(store, *how, **more)
    store.tell(claim, end)
    return claim
