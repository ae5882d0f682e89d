"""Children that each act once on a store, under an order to die or to pause in the middle.

`actor.py URL ORDERS IDLE` reads lines `ACT STUDY TRIAL_ID ATTEMPT` and answers each with the pid
of the child that acts, then with how it ended: its exit code, negative after a signal; LOST is
that of one who may not write any more. It forks before any connection is made, since importing
takes seconds. IDLE: how long the database lets a paused transaction hold its locks.
"""

import os
import sys
from pathlib import Path

from storage import transaction
from storage.errors import DatabaseUnreachable, LeaseLost
from storage.faults import ObedientStore
from storage.store import Claim, Store

LOST = 7


def main(url: str, orders: str, idle: str) -> None:
    """Fork a child for every line."""
    transaction.LIMITS["idle_in_transaction_session_timeout"] = idle
    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(act(url, Path(orders), *line.split()))
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def act(url: str, orders: Path, name: str, study: str, trial_id: str, attempt: str) -> int:
    """Act until the database has heard of it."""
    claim = Claim(study=study, trial_id=int(trial_id), number=0, attempt=int(attempt), worker="ada")
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
        case "tell":
            store.tell(claim, "COMPLETE", 0.5, "finished")
        case "hand_back":
            store.hand_back(claim, "drained")


if __name__ == "__main__":
    main(*sys.argv[1:])
