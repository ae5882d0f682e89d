"""A Ray cluster: the connection to it, its nodes and GPUs, and the actors of a fleet."""

import logging
import os
import re
import socket
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

import ray
from ray.exceptions import (
    ActorUnavailableError,
    AuthenticationError,
    GetTimeoutError,
    RayActorError,
    RayError,
)
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from search.errors import UsageError
from search.fleet.engine import Order, Slot, State
from search.fleet.ray import probe
from search.fleet.ray.actor import KeeperActor
from search.fleet.ray.duty import NAMESPACE, Duty, Report, worker_variables, worker_words

Actor: TypeAlias = Any  # ray's handle of an actor

RAY: Any = ray  # with the functions that ray has not typed
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 5.0  # of an actor, which answers at once unless its node is busy
HOST_PORT = re.compile(r"(.+):(\d+)")


@contextmanager
def connected(address: str | None) -> Iterator[str]:
    """Connect to a cluster for as long as the block lasts; yield its address.

    address: HOST:PORT of its head; None for RAY_ADDRESS, else the cluster of this machine.
    """
    named = address or os.environ.get("RAY_ADDRESS") or None
    _check_address(named)
    try:
        ray.init(
            address or "auto", namespace=NAMESPACE, log_to_driver=False, logging_level=logging.ERROR
        )
    except (ConnectionError, AuthenticationError) as error:
        raise _no_cluster(named) from error
    except (RuntimeError, ValueError) as error:
        raise UsageError(*explained(str(error))) from error
    try:
        yield ray.get_runtime_context().gcs_address
    finally:
        ray.shutdown()


def gpus() -> int:
    """Count the GPUs of all nodes."""
    return int(RAY.cluster_resources().get("GPU", 0))


def check_nodes(order: Order, known: Collection[str]) -> dict[str, str]:
    """Check all nodes at once; return what is missing by node, "" for one that is ready.

    known: the nodes that are in order, since workers of the fleet live on them.
    """
    RAY.cloudpickle.register_pickle_by_value(probe)  # search may be missing there
    check = ray.remote(num_cpus=0, max_retries=0)(probe.probe)
    words = [*worker_words(order), "--check", "--json"]
    alive = [node for node in RAY.nodes() if node["Alive"] and node["NodeID"] not in known]
    nodes = {node["NodeID"]: node["NodeManagerHostname"] for node in alive}
    asked = {
        node: check.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)
        ).remote(words, worker_variables(order), str(order.home))
        for node in nodes
    }
    found: dict[str, str] = {}
    for node, answer in asked.items():
        try:
            host, missing = ray.get(answer, timeout=probe.TIMEOUT_SECONDS + CONNECT_SECONDS)
        except RayError as error:
            host, missing = nodes[node], f"it cannot be checked: {_first_line(error)}"
        found[f"{host} ({node[:6]})"] = missing
    return found


def place_actor(duty: Duty) -> Actor:
    """Start the actor of a place, or return the one that is there; it may wait for room."""
    kind = ray.remote(max_restarts=-1, max_task_retries=0)(KeeperActor)
    return kind.options(
        name=duty.name,
        namespace=NAMESPACE,
        lifetime="detached",
        get_if_exists=True,
        num_gpus=duty.gpus,
        num_cpus=0 if duty.uses_gpu else 1,
        scheduling_strategy="SPREAD",
    ).remote(duty)


def actors(job: str) -> dict[int, Actor]:
    """Return the actors of a fleet by the numbers of their places, in their order."""
    named = (each.rpartition("/") for each in ray.util.list_named_actors())
    numbers = sorted(int(number) for of, _, number in named if of == job and number.isdigit())
    found = {}
    for number in numbers:
        with suppress(ValueError):  # it has ended since
            found[number] = ray.get_actor(f"{job}/{number}", namespace=NAMESPACE)
    return found


def reports(
    places: Mapping[int, Actor], seconds: float = ANSWER_SECONDS
) -> dict[int, Report | None]:
    """Ask the actors for their places at once; None for one whose process is gone.

    One that does not answer in time is missing: it waits for room, or its node is busy.
    """
    asked = {number: actor.report.remote() for number, actor in places.items()}
    if asked:
        ray.wait(list(asked.values()), num_returns=len(asked), timeout=seconds)
    found: dict[int, Report | None] = {}
    for number, answer in asked.items():
        try:
            found[number] = ray.get(answer, timeout=0)
        except GetTimeoutError:
            continue
        except (RayActorError, ActorUnavailableError):
            found[number] = None
    return found


def end(actor: Actor) -> None:
    """End an actor for good; its worker, where it has one, dies with it."""
    ray.kill(actor, no_restart=True)


def slot_of(number: int, report: Report | None) -> Slot:
    """Return a place as its actor reports it, None for one that does not answer."""
    if report is None:
        return Slot(name=str(number), state=State.QUEUED, reason="its node is lost or has no room")
    return report.slot


def _check_address(address: str | None) -> None:
    """Refuse an address at which nothing answers; Ray itself would try for minutes."""
    if address is None or address == "auto":
        return
    found = HOST_PORT.fullmatch(address)
    if found is None or "://" in address:
        raise UsageError(
            f"{address} is not HOST:PORT",
            "give --address or RAY_ADDRESS that of Ray's head, such as head:6379",
        )
    try:
        host = found[1].strip("[]")
        socket.create_connection((host, int(found[2])), CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise _no_cluster(address) from error


def _no_cluster(address: str | None) -> UsageError:
    where = "on this machine" if address is None else f"at {address}"
    return UsageError(
        f"no Ray cluster answers {where}",
        "start one with `ray start --head`, or name its head with --address HOST:6379",
    )


def explained(error: str) -> Sequence[str]:
    """Return what was found and its fix for an error of Ray's start."""
    if "Version mismatch" in error:
        pairs = re.findall(r"(Ray|Python): ([\w.+]+)", error)
        told = [f"{name} {version}" for name, version in dict.fromkeys(pairs)]
        return (
            f"Ray's cluster and this program differ in their versions ({', '.join(told)})",
            "install the cluster's versions of Python and ray here",
        )
    return f"Ray cannot be used: {' '.join(error.split())[:300]}", "see `ray status`"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
