"""Workers as the storage sees them: `claimer.py URL NAME...`; a mortal dies of its first trial.

Each is a process of its own, forked before any connection is made, because importing takes .7 s.
The end of each is a line: its name and its exit code, negative after a signal.
"""

import os
import signal
import sys
import time

from storage.rows import Outcome, TrialEnd
from storage.store import Claim, NewWorker, Nothing, Store


def main(url: str, *names: str) -> None:
    """Fork a child for every name and print how each ends."""
    children = {}
    for name in names:
        child = os.fork()
        if child == 0:
            work(url, name)
            os._exit(0)
        children[child] = name
    while children:
        child, status = os.wait()
        print(children.pop(child), os.waitstatus_to_exitcode(status), flush=True)


def work(url: str, name: str) -> None:
    """Claim and end trials until none is left; wait while the study is stopped."""
    with Store.open(url) as store:
        store.register_worker(
            "toy", NewWorker(name=name, host="host", pid=os.getpid(), device="cpu", threads=1)
        )
        while (claim := store.claim("toy", name, lease_seconds=60)) is not Nothing.DONE:
            if not isinstance(claim, Claim):
                time.sleep(0.02)
                continue
            if name.startswith("mortal"):
                os.kill(os.getpid(), signal.SIGKILL)
            store.record(claim, 1, {"val_loss": 0.5}, 0.5, seconds=0.1, images=10)
            if claim.number % 5:
                store.tell(claim, TrialEnd(state="COMPLETE", value=0.5, outcome=Outcome.FINISHED))
            else:
                store.tell(claim, TrialEnd(state="FAIL", value=None, outcome=Outcome.CODE_ERROR))


if __name__ == "__main__":
    main(*sys.argv[1:])
