"""An engine that keeps a study's workers alive on a cluster: its orders, and its answers."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, TypeAlias, cast

from search.errors import UsageError
from search.secrets_file import DATABASE_URL, read_secrets

Tell: TypeAlias = Callable[[str], None]  # prints a line for the person who waits

ENGINES = {
    "ray": "search.fleet.ray.engine:RayEngine",
    "slurm": "search.fleet.slurm.engine:SlurmEngine",
    "k8s": "search.fleet.kubernetes.engine:KubernetesEngine",
}


class State(StrEnum):
    """The state of a worker's place in a fleet, as the engine sees it."""

    QUEUED = "queued"  # the engine has no room for it yet
    STARTING = "starting"  # its process starts for the first time
    UP = "up"  # its process lives; the database says whether it has a trial
    RESTARTING = "restarting"  # its process has ended and is started again soon
    DRAINING = "draining"  # it ends the epoch in flight and hands its trial back
    DRAINED = "drained"  # it has handed its trial back and is not started again
    DONE = "done"  # nothing is left to do
    REFUSED = "refused"  # the node or the study is not in order: data, versions, code, weights
    GPU_LOST = "GPU lost"  # its device is not to be used again
    GONE = "gone"  # the engine no longer knows it


@dataclass(frozen=True, kw_only=True)
class Order:
    """The request of `search fleet up` to an engine.

    job: the fleet's name on the engine, the same for every order of one stored study.
    workers: their number; None for one per place that the engine's GPUs have.
    per_gpu: how many workers share a GPU.
    uses_gpu: False for workers on the CPU.
    home: SEARCH_HOME of the workers.
    data, code: folders on every node; None for what each node remembers.
    secrets: the file with the database's address, on every node.
    environment: further variables of the workers, none of them secret.
    accepts_versions: whether workers start on versions other than the study's.
    out: the folder into which `render` writes; None for one that returns its text.
    options: every option that a fleet keeps, by its name on the command line. `per_gpu`, `cpu`,
        `data` and `code` repeat the fields above.
    """

    study: str
    job: str
    home: Path
    workers: int | None = None
    per_gpu: int = 1
    uses_gpu: bool = True
    address: str | None = None
    data: Path | None = None
    code: Path | None = None
    secrets: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    accepts_versions: bool = False
    out: Path | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """The workers of a study on an engine, as the home remembers them between commands.

    job: the engine's name of the fleet, such as the number of an array job.
    secrets: the file with the database's address.
    options, environment: of its last order; a later one that leaves them out has them again.
    details: what else the engine needs to find it again, as JSON holds it.
    """

    engine: str
    study: str
    job: str
    workers: int
    address: str | None = None
    secrets: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A worker's place in a fleet, as the engine sees it now.

    name: the engine's name of it, such as `3` or `1234_3`.
    gpu: its CUDA_VISIBLE_DEVICES, "" for none.
    pid: of the worker's process on that node; None without one.
    restarts: how often a worker was started here again; None where the engine does not count.
    reason: why the latest process ended, in one line.
    """

    name: str
    state: State
    node: str = ""
    gpu: str = ""
    pid: int | None = None
    restarts: int | None = None
    reason: str = ""


class Engine(Protocol):
    """A program that keeps processes alive on a cluster; the trials stay in the database.

    Each call raises UsageError where the engine cannot be reached or used, with the fix.
    """

    def render(self, order: Order) -> str:
        """Return what `up` would submit, for `--print`."""

    def up(self, order: Order, tell: Tell) -> Fleet:
        """Bring the fleet to the number of workers that is asked for, more or fewer."""

    def status(self, fleet: Fleet) -> Sequence[Slot]:
        """Return every place of the fleet, the queued ones too, in their order."""

    def down(self, fleet: Fleet, tell: Tell, *, now: bool) -> Sequence[Slot]:
        """End every worker and forget the fleet; return the places whose workers were killed.

        now: kill them; else each ends the epoch in flight and hands its trial back.
        """


def secrets_of(order: Order) -> Path:
    """Return the file of secrets, in which alone the nodes find the database; else UsageError."""
    fix = f"write {DATABASE_URL}=... into a file of mode 0600, and name it with --secrets FILE"
    if order.secrets is None:
        raise UsageError("no file of secrets is named, and workers find the database in it", fix)
    if DATABASE_URL not in read_secrets(order.secrets):
        found = f"{order.secrets} has no {DATABASE_URL}, and workers find the database in that file"
        raise UsageError(found, f"add a line {DATABASE_URL}=... to it")
    return order.secrets


def open_engine(name: str) -> Engine:
    """Return the engine of that name; it is imported here, and its library with it."""
    module, _, kind = ENGINES[name].partition(":")
    try:
        return cast(Engine, getattr(importlib.import_module(module), kind)())
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the engine {name!r} is not installed ({error.name} is missing)",
            f"pip install 'search[{name}]'",
        ) from error
