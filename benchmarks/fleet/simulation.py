"""Workers on one study in virtual time: who waits for the server, and for how long."""

import heapq
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count

from benchmarks.fleet.costs import Costs, Part

CLAIM, DRAW, EPOCH, END, FREE = range(5)  # what reaches the server; FREE: the lock is given back


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A trial to be trained: its epochs, those that pruning saves taken away, and their length."""

    epochs: int
    epoch_seconds: float


@dataclass(frozen=True, kw_only=True)
class Machines:
    """The server and the way to it.

    background: cores of the server that beats and looks take all the time.
    trip: seconds of a round trip between a worker and the server.
    """

    cores: int
    trip: float
    background: float = 0.0


@dataclass(kw_only=True)
class Run:
    """A simulated run.

    trials: how many were trained.
    trained: the workers' seconds in training.
    present: the workers' seconds until each found no further trial.
    rate: trials a second while all workers are at work.
    served: the server's seconds of CPU for trials.
    locked: the seconds in which a claim held the study's lock.
    waits: the seconds that each claim waited for the lock and a core.
    """

    trials: int = 0
    trained: float = 0.0
    present: float = 0.0
    rate: float = 0.0
    served: float = 0.0
    locked: float = 0.0
    waits: list[float] = field(default_factory=list)


class Server:
    """The cores of the server: each request runs on the one that is free first."""

    def __init__(self, machines: Machines) -> None:
        self._free_at = [0.0] * machines.cores
        # Each core gives trials what the background leaves of it.
        self._slowness = machines.cores / (machines.cores - machines.background)
        self.served = 0.0

    def serve(self, now: float, seconds: float) -> float:
        """Return the moment at which a request of so many seconds that arrives now is answered."""
        self.served += seconds
        end = max(now, self._free_at[0]) + seconds * self._slowness
        heapq.heapreplace(self._free_at, end)
        return end


def simulate(
    costs: Costs, machines: Machines, trials: Iterable[Trial], starts: Sequence[float]
) -> Run:
    """Let workers take trials until none is left.

    starts: the moment of each worker's first claim.
    """
    return _Simulation(costs, machines, iter(trials), starts).run()


class _Simulation:
    """The events, by time; each worker has one at most, and the lock one while it is held."""

    def __init__(
        self, costs: Costs, machines: Machines, trials: Iterable[Trial], starts: Sequence[float]
    ) -> None:
        self._costs, self._machines, self._trials = costs, machines, iter(trials)
        self._server = Server(machines)
        self._starts = starts
        self._numbers = count()
        self._events = [(start, next(self._numbers), CLAIM, n) for n, start in enumerate(starts)]
        heapq.heapify(self._events)
        self._is_locked = False
        self._waiting: deque[tuple[float, int]] = deque()  # when each asked, and its worker
        self._left: list[tuple[float, int]] = [(0.0, 0)] * len(starts)  # epoch's length, how many
        self._done = [0] * len(starts)
        self._result = Run()

    def run(self) -> Run:
        """Go from event to event."""
        while self._events:
            now, _, kind, worker = heapq.heappop(self._events)
            if kind == EPOCH:
                self._finish_epoch(now, worker)
            elif kind == CLAIM:
                self._waiting.append((now, worker))
                self._claim_next(now)
            elif kind == FREE:
                self._is_locked = False
                self._claim_next(now)
            elif kind == DRAW:
                self._train(self._answered(now, self._costs.draw), worker)
            else:
                self._done[worker] += 1
                self._ask(self._answered(now, self._costs.end), CLAIM, worker, self._costs.claim)
        self._result.served = self._server.served
        return self._result

    def _claim_next(self, now: float) -> None:
        """Serve the claim that has waited longest, if the study's lock is free."""
        if self._is_locked or not self._waiting:
            return
        asked, worker = self._waiting.popleft()
        costs = self._costs.claim
        computed = self._server.serve(now, costs.server)
        freed = computed + costs.waits  # the lock is kept until the commit is on the disk
        self._is_locked = True
        self._result.locked += freed - now
        self._result.waits.append(computed - costs.server - asked)
        heapq.heappush(self._events, (freed, next(self._numbers), FREE, worker))
        answered = freed + costs.trips * self._machines.trip
        trial = next(self._trials, None)
        if trial is None:
            self._leave(answered, worker)
            return
        self._left[worker] = trial.epoch_seconds, trial.epochs
        self._ask(answered, DRAW, worker, self._costs.draw)

    def _finish_epoch(self, now: float, worker: int) -> None:
        seconds, epochs = self._left[worker]
        self._left[worker] = seconds, epochs - 1
        answered = self._answered(now, self._costs.epoch)
        if epochs > 1:
            self._train(answered, worker)
        else:
            self._ask(answered, END, worker, self._costs.end)

    def _train(self, now: float, worker: int) -> None:
        seconds = self._left[worker][0]
        self._result.trained += seconds
        self._ask(now + seconds, EPOCH, worker, self._costs.epoch)

    def _ask(self, now: float, kind: int, worker: int, part: Part) -> None:
        """Let a worker compute its own share of a part and then ask the server."""
        heapq.heappush(self._events, (now + part.client, next(self._numbers), kind, worker))

    def _answered(self, now: float, part: Part) -> float:
        computed = self._server.serve(now, part.server)
        return computed + part.waits + part.trips * self._machines.trip

    def _leave(self, now: float, worker: int) -> None:
        present = now - self._starts[worker]
        self._result.present += present
        self._result.rate += self._done[worker] / present
        self._result.trials += self._done[worker]
