"""A run of a toy study of three trials, with workers that a test writes."""

import os
import sys
from collections.abc import Callable, Sequence
from itertools import chain, repeat
from pathlib import Path
from typing import TypeAlias

from dashboards.analysis.snapshot import Snapshot
from search.processes.dashboard_keeper import DashboardKeeper
from search.processes.devices import DeviceShare, assign
from search.processes.run import Run
from search.settings import Settings
from spaces.params import Float
from spaces.stored import StoredStudy, to_json
from spaces.study import Study
from storage.store import Claim, Store
from tests.storage.samples import new_study, new_worker

WorkerCommand: TypeAlias = Callable[[DeviceShare, str], Sequence[str]]
WORKER = Path(__file__).with_name("scripted_worker.py")
STUDY = Study(
    name="toy",
    objective="toy_curve",
    metric="val_loss",
    direction="minimize",
    space=[Float("learning_rate", 1e-4, 1.0, log=True)],
    trials=3,
)


def create_study(store: Store) -> None:
    """Store the study."""
    store.create(new_study(definition=to_json(StoredStudy(STUDY)), trials=STUDY.trials))


def a_run(store: Store, folder: Path, workers: Sequence[object], command: WorkerCommand) -> Run:
    """Build a run with so many workers on the CPU, and its files in a folder."""
    return Run(
        study="toy",
        shares=assign(len(workers), (), 1),
        store=store,
        worker_command=command,
        environment=os.environ,
        logs=folder,
        cache=folder,
        lease_seconds=0.5,
        dashboard=DashboardKeeper(Settings(home=folder), None),
    )


def worker_command(url: str, faults: Sequence[str]) -> WorkerCommand:
    """Build the commands of scripted workers, with a fault each."""
    script = [sys.executable, str(WORKER), url, "toy"]
    return lambda share, name: [*script, name, faults[share.index - 1]]


def claimed(
    store: Store, script: Callable[[Claim | None], str], first_lease_seconds: float = 30
) -> WorkerCommand:
    """Build the commands of workers that are shell scripts, each with a trial taken for it.

    script: called before each start with that trial; None where nothing is left to do.
    first_lease_seconds: the lease of the first worker; the others have 30 s.
    """
    leases = chain([first_lease_seconds], repeat(30))

    def command(_share: DeviceShare, name: str) -> list[str]:
        store.register_worker("toy", new_worker(name))
        claim = store.claim("toy", name, lease_seconds=next(leases))
        return ["sh", "-c", script(claim if isinstance(claim, Claim) else None)]

    return command


def ignore(_snapshot: Snapshot) -> None:
    """Show nothing."""
