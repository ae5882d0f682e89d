"""A worker as the storage sees it: `claimer.py URL NAME FATE`; a mortal dies of its first trial."""

import os
import signal
import sys
import time

from storage.rows import Outcome, TrialEnd
from storage.store import Claim, NewWorker, Nothing, Store


def main(url: str, name: str, fate: str) -> None:
    """Claim and end trials until none is left; wait while the study is stopped."""
    with Store.open(url) as store:
        store.register_worker(
            "toy", NewWorker(name=name, host="host", pid=os.getpid(), device="cpu", threads=1)
        )
        while (claim := store.claim("toy", name, lease_seconds=60)) is not Nothing.DONE:
            if not isinstance(claim, Claim):
                time.sleep(0.02)
                continue
            if fate == "mortal":
                os.kill(os.getpid(), signal.SIGKILL)
            store.record(claim, 1, {"val_loss": 0.5}, 0.5, seconds=0.1, images=10)
            if claim.number % 5:
                store.tell(claim, TrialEnd(state="COMPLETE", value=0.5, outcome=Outcome.FINISHED))
            else:
                store.tell(claim, TrialEnd(state="FAIL", value=None, outcome=Outcome.CODE_ERROR))


if __name__ == "__main__":
    main(*sys.argv[1:])
