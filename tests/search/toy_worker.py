"""A worker on the toy objective, in this process, on a real store."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from objectives.contract import EpochResult
from objectives.data.manifest.manifest import NOTHING
from search.processes.machine import device_class, versions
from search.processes.signals import StopFlag
from search.settings import Settings
from search.studies.create import store_study
from search.studies.declare import data_source, resolved
from search.studies.overrides import Overrides
from search.studies.prepare import Prepared
from search.worker.attempt import attempt_trial
from search.worker.endings import Ending, Settled
from search.worker.leased_trial import LeasedTrial
from search.worker.settle import settle
from search.worker.worker import Worker
from spaces.params import Float, Value
from spaces.stored import from_json
from spaces.study import Study
from storage.store import Claim, Store
from tests.storage.samples import new_worker


def make_worker(
    store: Store, home: Path, pins: Mapping[str, Value] | None = None, **changes: Any
) -> Worker:
    """A worker on a small toy study of its own."""
    declared: dict[str, Any] = {
        "name": "toy",
        "objective": "toy_curve",
        "metric": "val_loss",
        "direction": "minimize",
        "trials": 4,
        "fixed": {"epochs": 5, "seconds_per_epoch": 0.0},
        "space": [Float("learning_rate", 1e-5, 1.0, log=True)],
    }
    study = Study(**declared | changes)
    declared_study = resolved(study).pinned(pins or {})
    source = data_source(study, None)
    prepared = Prepared(stored=declared_study, source=source, manifest=NOTHING)
    overrides = Overrides(study.name)
    row = store_study(prepared, overrides, Settings(home=home), store)
    machine = {"device_class": device_class("cpu"), "versions": versions()}
    store.register_worker(study.name, new_worker("w", machine=machine))
    stored = from_json(row.definition)
    return Worker(
        name="w",
        stored=stored,
        store=store,
        settings=Settings(home=home),
        data=source,
        device="cpu",
        threads=1,
        flag=StopFlag(),
    )


def take(worker: Worker) -> Claim:
    claim = worker.store.claim(
        worker.study.name, worker.name, lease_seconds=worker.settings.lease_seconds
    )
    assert isinstance(claim, Claim)
    return claim


def lease(worker: Worker) -> LeasedTrial:
    return LeasedTrial(worker, take(worker))


def attempt(worker: Worker) -> Ending:
    leased = lease(worker)
    settled = attempt_trial(leased)
    settle(leased, settled)
    return settled.ending


def end(leased: LeasedTrial, ending: Ending) -> None:
    """End a trial that was not trained, with the values that were drawn and the epochs stored."""
    store, claim = leased.worker.store, leased.claim
    worker = leased.worker
    drawn = store.optuna_storage.get_trial(claim.trial_id).params
    rows = store.epochs(worker.study.name, claim.number)
    epochs = [
        EpochResult(epoch=row.epoch, metrics=row.metrics, seconds=row.seconds, images=row.images)
        for row in rows
    ]
    settle(leased, Settled(ending, worker.stored.config(drawn), epochs))
