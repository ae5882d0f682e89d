"""The study of the benchmark, and the turns of both sides: one trial from its claim to its end.

Ours is the whole of a worker's trial, training apart: claim, draw, five epochs recorded, judged
at two rungs, five files kept, badges, tell, looking back. Plain Optuna does ask, eight times
suggest with its default sampler, five times report and should_prune, tell. No trial is worse than
the others, so that none is pruned.
"""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import optuna
from optuna.storages import RDBStorage

from objectives import catalog
from objectives.contract import RECORDS, Attempt, DataSource, EpochResult, Objective
from search.processes.signals import StopFlag
from search.samplers.choose import sampler_for
from search.settings import Settings
from search.studies.declare import resolved
from search.worker.attempt import attempt_trial
from search.worker.endings import Finished
from search.worker.leased_trial import LeasedTrial
from search.worker.settle import settle
from search.worker.worker import Worker
from spaces.params import Choice, Float, Int
from spaces.stored import to_json
from spaces.study import Study
from storage.rows import Outcome, TrialEnd
from storage.store import Claim, NewStudy, NewWorker, Store

EPOCHS, METRICS = 5, 10
LEASE_SECONDS = 3600.0  # no trial of a process that has ended is taken over
STUDY = Study(
    name="ours",
    objective="image_classifier",
    metric="val_loss",
    direction="minimize",
    trials=10**6,
    fixed={"epochs": EPOCHS},
    space=[
        Float("learning_rate", 1e-5, 1e-1, log=True),
        Float("weight_decay", 1e-6, 1e-2, log=True),
        Float("dropout", 0.0, 0.5),
        Int("warmup_epochs", 0, 1),  # a longer one would leave fewer rungs
        Choice("backbone", ("resnet18", "resnet34", "resnet50")),
        Choice("batch_size", (16, 32, 64)),
        Choice("augmentation", ("none", "light", "strong")),
        Choice("balancing", ("none", "sampler", "ldam")),
    ],
)
PLAIN = "plain"
STORED = resolved(STUDY)
Turn = Callable[[], None]


@dataclass(frozen=True)
class Place:
    """A database of its own, and a home for the files of its trials."""

    url: str
    home: Path


Side = Callable[[Place], AbstractContextManager[Turn]]


def create(store: Store) -> None:
    """Store the study of our side."""
    prints = {"fingerprint": "fingerprint", "data_fingerprint": "data"}
    new = {"definition": to_json(STORED), "direction": "minimize", "trials": None}
    store.create(NewStudy(name=STUDY.name, **prints, **new))


@contextmanager
def our_worker(place: Place) -> Iterator[Worker]:
    """Yield a registered worker with a store of its own."""
    name = f"worker-{os.getpid()}-{secrets.token_hex(3)}"
    with Store.open(place.url) as store:
        new = NewWorker(name=name, host="host", pid=os.getpid(), device="cpu", threads=1)
        store.register_worker(STUDY.name, new)
        yield Worker(
            name=name,
            stored=STORED,
            store=store,
            settings=Settings(home=place.home),
            data=DataSource(layout={"kind": "none"}),
            device="cpu",
            threads=1,
            flag=StopFlag(),
        )


@contextmanager
def our_trials(place: Place) -> Iterator[Turn]:
    """Yield the turn that does all that a worker does around a trial."""
    with our_worker(place) as worker:
        yield lambda: whole_trial(worker)


@contextmanager
def our_draws(place: Place) -> Iterator[Turn]:
    """Yield the turn that claims a trial, draws its values and tells its end."""
    with our_worker(place) as worker:

        def turn() -> None:
            leased = LeasedTrial(worker, claim(worker))
            choose = partial(sampler_for, STUDY, leased.claim.number)
            leased.store.draw(leased.claim, choose, STUDY.space.suggest)
            end = TrialEnd(state="COMPLETE", value=loss(EPOCHS), outcome=Outcome.FINISHED)
            leased.store.tell(leased.claim, end)

        yield turn


@contextmanager
def plain_trials(place: Place) -> Iterator[Turn]:
    """Yield the turn that does the next trial of plain Optuna."""
    with plain_study(place) as study:

        def turn() -> None:
            trial = study.ask()
            STUDY.space.suggest(trial)
            for epoch in range(1, EPOCHS + 1):
                trial.report(loss(epoch), epoch)
                trial.should_prune()
            study.tell(trial, loss(EPOCHS))

        yield turn


@contextmanager
def plain_draws(place: Place) -> Iterator[Turn]:
    """Yield the turn in which plain Optuna asks, suggests and tells."""
    with plain_study(place) as study:

        def turn() -> None:
            trial = study.ask()
            STUDY.space.suggest(trial)
            study.tell(trial, loss(EPOCHS))

        yield turn


@contextmanager
def plain_study(place: Place) -> Iterator[optuna.Study]:
    """Yield the study of plain Optuna on a storage of its own."""
    storage = RDBStorage(place.url)
    try:
        yield optuna.create_study(storage=storage, study_name=PLAIN, load_if_exists=True)
    finally:
        storage.remove_session()
        storage.engine.dispose()


# By name, so that another process can be told which one to take.
SIDES: Mapping[str, Side] = {
    "our trials": our_trials,
    "our draws": our_draws,
    "plain trials": plain_trials,
    "plain draws": plain_draws,
}


def claim(worker: Worker) -> Claim:
    """Claim the next trial, of which there is always one."""
    claimed = worker.store.claim(STUDY.name, worker.name, lease_seconds=LEASE_SECONDS)
    if not isinstance(claimed, Claim):
        raise RuntimeError(f"there was no trial to claim: {claimed.value}")
    return claimed


def whole_trial(worker: Worker, objective: Objective | None = None) -> None:
    """Take the next trial from its claim to its end.

    objective: yields the epochs; None for `train`.
    """
    leased = LeasedTrial(worker, claim(worker))
    with patch.object(catalog, "load", lambda *_: objective or train):
        settled = attempt_trial(leased)
        settle(leased, settled)
    if not isinstance(settled.ending, Finished):
        raise RuntimeError(f"the trial ended before its last epoch: {settled.ending}")


def train(_: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
    """Yield the epochs of a curve without training, and leave the files of a trial."""
    for epoch in range(1, EPOCHS + 1):
        numbers = {f"metric_{each}": loss(epoch) for each in range(1, METRICS)}
        metrics = {"val_loss": loss(epoch), **numbers}
        yield EpochResult(epoch=epoch, metrics=metrics, seconds=1.0, images=1000)
    for name in RECORDS:
        (attempt.folder / name).write_bytes(b"a record")


def loss(epoch: int) -> float:
    """Return the value of an epoch; no trial is better where one may be pruned, from epoch 2 on."""
    return 1 / min(epoch, 2)
