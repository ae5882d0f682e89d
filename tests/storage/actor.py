"""A process whose children each act once on a store, under an order to die or to pause inside.

`actor.py` reads lines `URL ORDERS ACT STUDY TRIAL_ID ATTEMPT` and answers each with the pid of
the child that acts, then with its exit code, negative after a signal. It forks before any
connection is made, because importing takes seconds.
ORDERS: the file that the child obeys.
"""

import os
import sys
from pathlib import Path

from storage.engine.rungs import Arrival
from storage.errors import DatabaseUnreachable, LeaseLost
from storage.faults import ObedientStore
from storage.rows import Outcome, TrialEnd
from storage.store import Claim, Store

LOST = 7  # the exit code of a child that may not write any more


def main() -> None:
    """Fork a child for every line."""
    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            url, orders, *words = line.split()
            os._exit(act(url, Path(orders), *words))
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def act(url: str, orders: Path, name: str, *claimed: str) -> int:
    """Act until the database has acknowledged it."""
    study, trial_id, attempt = claimed
    held = {"trial_id": int(trial_id), "attempt": int(attempt)}
    claim = Claim(study=study, number=0, worker="ada", **held)
    with ObedientStore.open(url) as store:
        store.obey(orders)
        while True:
            try:
                call(store, name, claim)
                return 0
            except LeaseLost:
                return LOST
            except DatabaseUnreachable:
                continue


def call(store: Store, name: str, claim: Claim) -> None:
    """Make one call of the store."""
    match name:
        case "claim":
            store.claim(claim.study, "ada", lease_seconds=30)
        case "record":
            store.record(claim, 1, {"loss": 0.5}, 0.5, seconds=1.0, images=10)
        case "replace":
            metrics = {"loss": 0.5}
            store.record(claim, 1, metrics, 0.5, seconds=1.0, images=10, is_deterministic=False)
        case "note_rung":
            store.note_rung(claim, Arrival(rung=1, kin="", epoch=1, value=0.5))
        case "tell":
            store.tell(claim, TrialEnd(state="COMPLETE", value=0.5, outcome=Outcome.FINISHED))
        case "hand_back":
            store.hand_back(claim, "drained")


if __name__ == "__main__":
    main()
