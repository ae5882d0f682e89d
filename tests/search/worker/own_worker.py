"""A process that takes one trial of its author's own code: `own_worker.py URL HOME SECONDS`.

The code gives other numbers each time, saves its state before it reports an epoch, and goes on from
what it finds; SECONDS is what an epoch takes.
"""

import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from objectives.contract import Attempt, DataSource, EpochResult
from objectives.own.journal import journaled
from search.processes.signals import StopFlag
from search.settings import Settings
from search.worker.attempt import others_of
from search.worker.endings import Settled
from search.worker.leased_trial import LeasedTrial
from search.worker.settle import settle
from search.worker.trial import Trial, run_trial
from search.worker.worker import Worker
from spaces.stored import from_json
from storage.store import Claim, Store

EPOCHS, STATE = 9, "state.json"


class OwnWorker(Worker):
    """A worker whose code gives other numbers each time."""

    is_deterministic = False  # type: ignore[assignment]


def train(config: Any, attempt: Attempt) -> Iterator[EpochResult]:
    """Train to the last epoch from the one that was saved."""
    saved = attempt.resume_from and json.loads((attempt.resume_from / STATE).read_text())
    for epoch in range((saved or 0) + 1, EPOCHS + 1):
        time.sleep(attempt.data.layout["seconds"])
        attempt.progress()
        partial = attempt.folder / "state.new"
        partial.write_text(json.dumps(epoch))
        partial.replace(attempt.folder / STATE)
        yield EpochResult(epoch=epoch, metrics={"val_loss": random.random()})


def main(url: str, home: str, seconds: str = "0") -> None:
    """Take a trial and follow it to its ending."""
    with Store.open(url) as store:
        settings = Settings(home=Path(home))
        claim = store.claim("toy", "w", lease_seconds=settings.lease_seconds)
        assert isinstance(claim, Claim)
        worker = OwnWorker(
            name="w",
            stored=from_json(store.study("toy").definition),
            store=store,
            settings=settings,
            data=DataSource(layout={"kind": "none", "seconds": float(seconds)}),
            device="cpu",
            threads=1,
            flag=StopFlag(),
        )
        leased = LeasedTrial(worker, claim)
        trial = Trial(leased=leased, config=worker.stored.config({}), others=others_of(leased))
        with leased:
            ending = run_trial(trial, journaled(train), _attempt(worker, leased))
        settle(leased, Settled(ending, trial.config, trial.epochs))


def _attempt(worker: Worker, leased: LeasedTrial) -> Attempt:
    folders = [
        worker.settings.attempt_folder("toy", 0, row.attempt, row.worker)
        for row in worker.store.attempts("toy", 0)
    ]
    leased.folder.mkdir(parents=True)
    left = [folder for folder in folders if (folder / STATE).exists()]
    return Attempt(
        folder=leased.folder,
        data=worker.data,
        earlier=tuple(folders[:-1]),
        resume_from=left[-1] if left else None,
        progress=leased.progress,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
