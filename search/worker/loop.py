"""The worker's loop: claim a trial, take it to its ending, claim the next one."""

import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from search.errors import DeviceLost
from search.processes.devices import MEND
from search.worker.attempt import attempt_trial
from search.worker.leased_trial import LeasedTrial
from search.worker.settle import settle
from search.worker.uploads import WeightUploads
from search.worker.worker import Worker
from spaces.exits import DONE, DRAINED, KILLED
from storage.store import Claim, Nothing

log = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 15.0  # until news that came without a NOTIFY is seen


def work(worker: Worker) -> int:
    """Follow trials until the budget is reached or the worker is stopped; return the exit code.

    Raises StudyBroken when trial after trial ends by the same error, DeviceLost when the GPU no
    longer answers, Unreachable when the database or the artifact store stays away.
    """
    with _sharing_weights(worker) as share_weights:
        return _follow(worker, share_weights)


def _follow(worker: Worker, share_weights: Callable[[set[int]], None]) -> int:
    name, store = worker.study.name, worker.retrying_store
    wait_seconds = FIRST_WAIT_SECONDS
    while not worker.flag.draining:
        match store.claim(name, worker.name, lease_seconds=worker.settings.lease_seconds):
            case Claim() as claim:
                wait_seconds = FIRST_WAIT_SECONDS
                leased = LeasedTrial(worker, claim)
                settled = attempt_trial(leased)
                kept = settle(leased, settled)
                if kept is not None:
                    share_weights(kept)
                if settled.lost_device:
                    raise DeviceLost(settled.lost_device, MEND)
                if settled.is_process_broken:
                    return DRAINED  # the supervisor starts a new process
            case Nothing.WAIT:
                # Another worker's trial may still come back; jitter keeps workers apart.
                store.wait(name, wait_seconds * random.uniform(0.5, 1.0), worker.flag)
                wait_seconds = min(2 * wait_seconds, LONGEST_WAIT_SECONDS)
            case Nothing.DONE:
                log.info("every trial of %s has ended; for more: `search run --trials N`", name)
                return DONE
            case Nothing.STOPPED:
                log.info("%s was stopped; `search run --study %s` goes on with it", name, name)
                return DRAINED
    return KILLED if worker.flag.now else DRAINED


@contextmanager
def _sharing_weights(worker: Worker) -> Iterator[Callable[[set[int]], None]]:
    """Yield a function that shares the weights of the best trials; the end waits for them."""
    if worker.settings.shared_artifacts is None:
        yield lambda _: None
        return
    with WeightUploads(worker) as uploads:
        yield uploads.look
