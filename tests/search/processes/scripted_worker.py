"""A worker without an objective: it makes the storage's real calls, and dies where it is told to.

`scripted_worker.py URL STUDY NAME FAULT`, FAULT one of: none,
wait (ends no epoch until it is asked to stop),
die (once, after the first epoch of trial 1),
cut (goes on after the first epoch of trial 0 once the database is away),
lose (the GPU: puts the file BROKEN_GPUS in the place of MADE_UP_GPUS after an epoch, and dies),
outlive (ends no epoch until another worker has lost its GPU),
stall (once, after the first epoch of trial 1, with a lease of half a second).
"""

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from search.processes.signals import StopFlag, listening
from search.worker.retries import RetryPolicy
from storage.engine.leases import Claim, Nothing
from storage.errors import DatabaseUnreachable
from storage.rows import Outcome, TrialEnd
from storage.store import NewWorker, Store

EPOCHS = 3
TOGETHER = int(os.environ.get("TOGETHER", "1"))  # so many workers have a trial when a GPU is lost
retries = RetryPolicy(lambda: False)


def main(url: str, study: str, name: str, fault: str, *_: str) -> int:
    """Follow trials as a worker does; give its exit code."""
    lease_seconds = 0.5 if fault == "stall" else 30
    with Store.open(url) as store, listening() as flag:
        store.register_worker(
            study, NewWorker(name=name, host="box", pid=os.getpid(), device="cpu", threads=1)
        )
        while not flag.draining:
            match retries.call(store.claim, study, name, lease_seconds=lease_seconds):
                case Nothing.DONE:
                    return 0
                case Nothing.STOPPED:
                    return 75
                case Claim() as claim:
                    train(store, claim, fault, flag)
                case _:
                    time.sleep(0.2)
    return 75


def train(store: Store, claim: Claim, fault: str, flag: StopFlag) -> None:
    """Record the epochs that are missing and end the trial, unless something comes between."""
    while fault == "outlive" and Path(os.environ["BROKEN_GPUS"]).exists():
        time.sleep(0.05)
    first = len(store.epochs(claim.study, claim.number)) + 1
    for epoch in range(first, EPOCHS + 1):
        time.sleep(0.05)
        while fault == "wait" and not flag.draining:
            time.sleep(0.05)
        value = claim.number + 1 / epoch
        numbers = {"metrics": {"val_loss": value}, "value": value, "seconds": 0.1, "images": 10}
        retries.call(store.record, claim, epoch, **numbers)
        if fault == "cut" and (claim.number, epoch) == (0, 1):
            with suppress(DatabaseUnreachable):
                while store.study(claim.study):
                    time.sleep(0.05)
        if fault == "die" and (claim.number, claim.attempt) == (1, 1):
            os.kill(os.getpid(), signal.SIGKILL)
        if fault == "lose":
            while sum(row.trial is not None for row in store.workers(claim.study)) < TOGETHER:
                time.sleep(0.05)
            Path(os.environ["BROKEN_GPUS"]).replace(os.environ["MADE_UP_GPUS"])
            os.kill(os.getpid(), signal.SIGKILL)
        if fault == "stall" and (claim.number, claim.attempt) == (1, 1):
            time.sleep(600)
        if flag.draining:
            return retries.call(store.hand_back, claim, "drained")
    return retries.call(
        store.tell, claim, TrialEnd(state="COMPLETE", value=value, outcome=Outcome.FINISHED)
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
