"""The engine Ray: an actor per place, which Ray keeps alive and places on a GPU."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

from ray.exceptions import RayError

from search.errors import MachineMismatch, UsageError
from search.fleet.engine import Fleet, Order, Slot, State, Tell, secrets_of
from search.fleet.ray import cluster
from search.fleet.ray.cluster import Actor
from search.fleet.ray.duty import Report, duty_of

START_SECONDS = 30.0
SILENT_SECONDS = 1.0  # within which a place answers that has got room since it was asked
TICK_SECONDS = 0.3
AT_WORK = (State.UP, State.STARTING, State.RESTARTING, State.DRAINING)


class RayEngine:
    """A fleet of detached, named actors."""

    def render(self, order: Order) -> str:
        """Refuse: Ray has no script."""
        raise UsageError("Ray takes no script or manifest", "leave --print out")

    def up(self, order: Order, tell: Tell) -> Fleet:
        """Bring the fleet to the number of workers that is asked for, more or fewer."""
        secrets_of(order)
        with cluster.connected(order.address) as address:
            count = _count(order)
            actors = cluster.actors(order.job)
            known = cluster.reports(actors)
            _check(order, known.values(), tell)
            _end(order.job, _surplus(order, count, actors, known), known, tell, now=False)
            _place(order, count)
            _tell_of_room(order, count, tell)
            return Fleet(
                engine="ray", study=order.study, job=order.job, workers=count, address=address
            )

    def status(self, fleet: Fleet) -> Sequence[Slot]:
        """Return every place of the fleet."""
        with cluster.connected(fleet.address):
            actors = cluster.actors(fleet.job)
            found = cluster.reports(actors)
            slots = {number: cluster.slot_of(number, found.get(number)) for number in actors}
            for number in range(1, fleet.workers + 1):
                slots.setdefault(number, Slot(name=str(number), state=State.GONE))
            return [slots[number] for number in sorted(slots)]

    def down(self, fleet: Fleet, tell: Tell, *, now: bool) -> Sequence[Slot]:
        """Drain or kill every worker, and remove the actors; return the killed places."""
        with cluster.connected(fleet.address):
            actors = cluster.actors(fleet.job)
            known = cluster.reports(actors)
            _end(fleet.job, actors, known, tell, now=now)
            slots = [each.slot for each in known.values() if each] if now else []
            return [slot for slot in slots if slot.pid is not None]


def _count(order: Order) -> int:
    """Return the number of workers that an order means."""
    if order.workers:
        return order.workers
    if not order.uses_gpu:
        raise UsageError(
            "a fleet on the CPU has no GPUs to count", "give their number with --workers N"
        )
    if not (gpus := cluster.gpus()):
        raise UsageError(
            "the cluster has no GPU", "start workers without one with --cpu --workers N"
        )
    return gpus * order.per_gpu


def _check(order: Order, known: Iterable[Report | None], tell: Tell) -> None:
    """Tell what each node lacks; raise MachineMismatch where no node is in order."""
    in_order = {each.node for each in known if each and each.slot.state is State.UP}
    missing = cluster.check_nodes(order, in_order)
    for node, what in missing.items():
        tell(f"node {node}: {what or 'ready'}")
    if missing and all(missing.values()) and not in_order:
        raise MachineMismatch(
            f"no node of the cluster can work on {order.study}",
            "mend what is said above, and repeat the command",
        )


def _surplus(
    order: Order, count: int, actors: Mapping[int, Actor], known: Mapping[int, Report | None]
) -> dict[int, Actor]:
    """Return the places beyond the number asked for, and those with another part of a GPU."""
    gpus = duty_of(order, 1).gpus
    other = {number for number, each in known.items() if each and each.duty.gpus != gpus}
    return {number: actor for number, actor in actors.items() if number > count or number in other}


def _place(order: Order, count: int) -> None:
    """Start the missing actors, and give the others their new duty."""
    there = cluster.actors(order.job)
    for number in range(1, count + 1):
        duty = duty_of(order, number)
        if number in there:
            there[number].renew.remote(duty)
        else:
            there[number] = cluster.place_actor(duty)


def _tell_of_room(order: Order, count: int, tell: Tell) -> None:
    """Wait until the places have started, and tell how many wait for a GPU."""
    room = cluster.gpus() * order.per_gpu if order.uses_gpu else count
    fitting = min(count, room)
    actors = cluster.actors(order.job)
    _wait(lambda: len(cluster.reports(actors, TICK_SECONDS)) >= fitting, START_SECONDS)
    started = len(cluster.reports(actors, TICK_SECONDS))
    if started < count:
        what = f"the cluster has {cluster.gpus()}" if order.uses_gpu else "its nodes are full"
        tell(
            f"{started} of {count} workers have started; the others wait for a free"
            f" {'GPU' if order.uses_gpu else 'CPU'} ({what}) and start by themselves"
        )


def _end(
    job: str,
    actors: Mapping[int, Actor],
    known: Mapping[int, Report | None],
    tell: Tell,
    *,
    now: bool,
) -> None:
    """End the workers of these places, then their actors; tell how far it is.

    known: the reports of a moment ago. A place without one waits for room, and has no worker.
    """
    if not actors:
        return
    for actor in actors.values():
        (actor.kill_worker if now else actor.drain).remote()
    silent = {number: actor for number, actor in actors.items() if number not in known}
    busy = {*actors} - {*silent} | {*cluster.reports(silent, SILENT_SECONDS)}
    told = -1
    while busy := _at_work({number: actors[number] for number in busy}):
        if len(busy) != told:
            told = len(busy)
            tell(f"{len(actors) - told} of {len(actors)} workers have ended")
        time.sleep(TICK_SECONDS)
    for actor in actors.values():
        with suppress(RayError, ValueError):
            cluster.end(actor)
    _wait(lambda: not set(actors) & set(cluster.actors(job)), START_SECONDS)


def _at_work(actors: Mapping[int, Actor]) -> set[int]:
    """Return the places whose workers may not have ended."""
    found = cluster.reports(actors)
    ended = {
        number for number, each in found.items() if each is None or each.slot.state not in AT_WORK
    }
    return set(actors) - ended


def _wait(is_true: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not is_true() and time.monotonic() < deadline:
        time.sleep(TICK_SECONDS)
