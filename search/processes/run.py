"""The run of a study on this machine, in plain data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from search.notify.watch import Watch
from search.processes.dashboard_keeper import DashboardKeeper
from search.processes.devices import DeviceShare
from storage.store import Store


@dataclass(frozen=True, kw_only=True)
class Run:
    """The run of one study on this machine.

    worker_command: builds the command of a share's worker from its name, which is new at every
        start. `--reason-file FILE` is appended: the worker writes the error that ends it there.
    log_prefix: stands before `worker-1.log` and so on.
    revive_database: called while the database is away. It starts the embedded one again, and
        returns False when that was stopped on purpose.
    """

    study: str
    shares: Sequence[DeviceShare]
    store: Store
    worker_command: Callable[[DeviceShare, str], Sequence[str]]
    environment: Mapping[str, str]  # the base of the children's environments
    logs: Path  # the folder of the children's logs
    cache: Path  # the folder of decoded images
    lease_seconds: float  # a silent worker keeps its trial so long, and lives as long again
    dashboard: DashboardKeeper
    log_prefix: str = ""
    watch: Watch = field(default_factory=Watch)  # tells the events of the study
    revive_database: Callable[[], bool] = lambda: True


@dataclass(frozen=True)
class Ending:
    """The end of a run."""

    exit_code: int  # of `search run`
    trouble: str = ""  # the error that ended it, in one line
