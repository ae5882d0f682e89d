"""The cost of a trial: statements and CPU at each size, its growth, unfinished trials, latency."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from statistics import median
from unittest.mock import patch

from optuna.samplers import RandomSampler

from benchmarks.engine.clock import Clock
from benchmarks.engine.lab import Lab
from benchmarks.engine.study import Place, Side, Turn, our_trials, plain_trials
from benchmarks.figures import Figure, Target, exactly, middle, ratio
from benchmarks.pairs import in_turn
from benchmarks.proxy import Proxy, proxied
from search.worker import attempt

SLOW_SECONDS = 0.005
SLOW_TURNS = 6
PLAIN_TURNS = 2  # beside 1,000 unfinished trials one takes seconds; the first reads the study
TRIPS, LATENCY, GROWTH, UNFINISHED = Target(16), Target(0.1), Target(1.3), Target(1.25)


def trial(lab: Lab) -> Iterator[Figure]:
    """Measure the CPU of a trial over plain Optuna's at three sizes."""
    sizes = (lab.sizes.none, lab.sizes.small, lab.sizes.middle)
    for size, target in zip(sizes, (0.30, 0.22, 0.20), strict=True):
        with lab.copy(size) as place, ExitStack() as stack:
            clock = Clock(place.url)
            ours, plain = (_open(stack, side, place) for side in (our_trials, plain_trials))
            costs = in_turn(lambda: clock.of(ours), lambda: clock.of(plain), lab.trials)  # noqa: B023
        yield Figure(
            row="trial",
            name="CPU over plain Optuna's",
            at=f"{size:,} trials",
            value=ratio(costs),
            target=Target(target),
            beside=_sides(costs),
        )


def trips(lab: Lab) -> Iterator[Figure]:
    """Count the round trips of a trial at three sizes, and time it where each takes 5 ms."""
    for size in (lab.sizes.none, lab.sizes.small, lab.sizes.middle):
        yield from trips_at(lab, size)


def trips_at(lab: Lab, size: int) -> Iterator[Figure]:
    """Count and time at one size."""
    with lab.copy(size) as place, proxied(place.url, place.home) as (url, proxy):
        slow = Place(url, place.home)
        ours, ours_seconds = _through(proxy, our_trials, slow, SLOW_TURNS)
        plain, plain_seconds = _through(proxy, plain_trials, slow, 1)  # it takes over a second
    yield Figure(
        row="trips",
        name="round trips of a trial",
        at=f"{size:,} trials",
        value=exactly(ours["trips"]),
        target=TRIPS,
        beside={
            "statements": ours["statements"],
            "plain": plain["trips"],
            "plain_statements": plain["statements"],
        },
    )
    yield Figure(
        row="trips",
        name="seconds of a trial at 5 ms a round trip",
        at=f"{size:,} trials",
        value=middle(ours_seconds),
        target=LATENCY,
        beside={"plain": median(plain_seconds)},
    )


def _through(
    proxy: Proxy, side: Side, place: Place, slow_turns: int
) -> tuple[dict[str, int], list[float]]:
    """Return the counts of one turn, and the seconds of others whose round trips are slow."""
    with side(place) as turn:
        turn(), turn()  # what a process reads only once
        before = proxy.trips, proxy.statements
        turn()
        counts = {
            "trips": proxy.trips - before[0],
            "statements": proxy.statements - before[1],
        }
        proxy.delay_seconds = SLOW_SECONDS
        seconds = [_seconds(turn) for _ in range(slow_turns)]
        proxy.delay_seconds = 0.0
    return counts, seconds


def growth(lab: Lab) -> Iterator[Figure]:
    """Measure the CPU of a trial in a large study over that in an empty one, sampler apart."""

    def draw_at_random(_study: object, number: int, _observed: object) -> RandomSampler:
        return RandomSampler(number)

    with ExitStack() as stack:
        places = [stack.enter_context(lab.copy(n)) for n in (lab.sizes.middle, lab.sizes.none)]
        clock = Clock(lab.url)
        stack.enter_context(patch.object(attempt, "sampler_for", draw_at_random))
        large, empty = (_open(stack, our_trials, place) for place in places)
        costs = in_turn(lambda: clock.of(large), lambda: clock.of(empty), 2 * lab.trials)
    yield Figure(
        row="growth",
        name="CPU over that at none, sampler apart",
        at=f"{lab.sizes.middle:,} trials",
        value=ratio(costs),
        target=GROWTH,
        beside=_sides(costs, "here_ms", "at_none_ms"),
    )


def unfinished(lab: Lab) -> Iterator[Figure]:
    """Measure the CPU of a trial beside as many unfinished ones that other workers hold."""
    size = lab.sizes.small
    with ExitStack() as stack:
        crowded, alone = (stack.enter_context(lab.copy(size, n)) for n in (size, 0))
        clock = Clock(lab.url)
        ours, without = (_open(stack, our_trials, place) for place in (crowded, alone))
        costs = in_turn(lambda: clock.of(ours), lambda: clock.of(without), lab.trials)
        plain = stack.enter_context(plain_trials(crowded))
        plain_ms = [clock.of(plain) for _ in range(PLAIN_TURNS)][-1]
    yield Figure(
        row="unfinished",
        name="CPU over that without them",
        at=f"{size:,} unfinished beside {size:,} trials",
        value=ratio(costs),
        target=UNFINISHED,
        beside={**_sides(costs, "here_ms", "without_ms"), "plain_ms": plain_ms},
    )


def _open(stack: ExitStack, side: Side, place: Place) -> Turn:
    turn = stack.enter_context(side(place))
    turn(), turn()  # what a process reads only once
    return turn


def _sides(
    costs: list[tuple[float, float]], ours: str = "ours_ms", other: str = "plain_ms"
) -> dict[str, float]:
    first, second = (median(column) for column in zip(*costs, strict=True))
    return {ours: first, other: second}


def _seconds(turn: Callable[[], None]) -> float:
    started = time.perf_counter()
    turn()
    return time.perf_counter() - started
