"""The duty of one place of a fleet: which worker is to be kept alive there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from search.fleet.engine import Order, Slot
from search.processes.devices import memory_share

NAMESPACE = "search"


@dataclass(frozen=True, kw_only=True)
class Duty:
    """The worker that an actor keeps alive; it travels to the node, so nothing in it is secret.

    words: of the worker's command, after the program's own.
    environment: variables of the worker, put over the node's.
    home: SEARCH_HOME where the node has none of its own.
    """

    study: str
    name: str
    words: Sequence[str]
    environment: Mapping[str, str]
    home: str
    per_gpu: int
    uses_gpu: bool

    @property
    def gpus(self) -> float:
        """The part of a GPU that the place takes."""
        return 1 / self.per_gpu if self.uses_gpu else 0.0


def duty_of(order: Order, index: int) -> Duty:
    """Return the duty of an order's place."""
    return Duty(
        study=order.study,
        name=place_name(order.job, index),
        words=worker_words(order),
        environment=worker_variables(order),
        home=str(order.home),
        per_gpu=order.per_gpu,
        uses_gpu=order.uses_gpu,
    )


def place_name(job: str, index: int) -> str:
    """Name the actor of a place; the first place is 1."""
    return f"{job}/{index}"


def worker_words(order: Order) -> list[str]:
    """Return the command of an order's workers, after the program's own words."""
    folders = [("--data", order.data), ("--code", order.code)]
    named = [word for option, folder in folders if folder for word in (option, str(folder))]
    accepted = ["--accept-versions"] if order.accepts_versions else []
    part = memory_share(order.per_gpu) if order.uses_gpu else 1.0
    memory = ["--gpu-memory", f"{part:.4f}"] if part < 1 else []
    return ["worker", "--study", order.study, *memory, *named, *accepted]


def worker_variables(order: Order) -> dict[str, str]:
    """Return the variables of an order's workers; of the secrets, the path alone."""
    secrets = {"SEARCH_SECRETS_FILE": str(order.secrets)} if order.secrets else {}
    return {**order.environment, **secrets}


@dataclass(frozen=True)
class Report:
    """A place with the duty that it has now.

    node: Ray's name of the node.
    """

    slot: Slot
    duty: Duty
    node: str
