"""The server's time for a claim, which holds the study's lock meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from statistics import median

from benchmarks.engine.clock import backends, cpu_ms
from benchmarks.engine.lab import Lab
from benchmarks.engine.study import Place, claim, our_worker
from benchmarks.figures import Figure, Target, ratio
from benchmarks.pairs import in_turn
from storage.rows import Outcome, TrialEnd

FACTOR = Target(1.5)
CLAIMS = 3  # for each trial of the other rows: a claim takes a millisecond


def claims(lab: Lab) -> Iterator[Figure]:
    """Measure the server's CPU of a claim in a very large study over that in a small one."""
    with ExitStack() as stack:
        sizes = (lab.sizes.large, lab.sizes.small)
        places = [stack.enter_context(lab.copy(size)) for size in sizes]
        large, small = (_claiming(stack, place) for place in places)
        costs = in_turn(large, small, CLAIMS * lab.trials)
    at_large, at_small = (median(column) for column in zip(*costs, strict=True))
    yield Figure(
        row="claim",
        name=f"the server's CPU over that at {lab.sizes.small:,}",
        at=f"{lab.sizes.large:,} trials",
        value=ratio(costs),
        target=FACTOR,
        beside={"here_ms": at_large, "at_small_ms": at_small},
    )


def _claiming(stack: ExitStack, place: Place) -> Callable[[], float]:
    """Return a function that claims a new trial and returns the server's milliseconds for it."""
    worker = stack.enter_context(our_worker(place))
    served: list[int] = []

    def claim_one() -> float:
        before = cpu_ms(served)
        claimed = claim(worker)
        cost = cpu_ms(served) - before
        worker.store.tell(
            claimed, TrialEnd(state="FAIL", value=None, outcome=Outcome.ENDED_ELSEWHERE)
        )
        return cost

    claim_one()
    served += backends(place.url)
    claim_one()
    return claim_one
