"""One search from its first trial to its last: the regret of its best trial, trial by trial."""

import time
from dataclasses import dataclass
from random import Random

from benchmarks.search_quality.contenders import Asked
from benchmarks.search_quality.landscape import Landscape
from spaces.space import TrialConfig


@dataclass(frozen=True)
class Course:
    """What a search found.

    regrets: after each ended trial, the true regret of the trial that measured best so far.
    seconds: of each draw.
    """

    regrets: list[float]
    seconds: list[float]


@dataclass
class Running:
    """The trials that run at the same time; they end in an order that the seed decides."""

    workers: int
    random: Random

    def __post_init__(self) -> None:
        self._trials: list[int] = []

    @property
    def is_full(self) -> bool:
        """Whether every worker has a trial."""
        return len(self._trials) == self.workers

    def begin(self, number: int) -> None:
        """Give a trial to a free worker."""
        self._trials.append(number)

    def end_one(self) -> int:
        """Choose the trial that ends next."""
        return self._trials.pop(self.random.randrange(len(self._trials)))


def follow(search: Asked, landscape: Landscape, *, trials: int, workers: int, seed: int) -> Course:
    """Run a search of so many trials, as many at once as there are workers.

    seed: decides the noise of each trial by its number, and the order in which trials end.
    """
    running, asked = Running(workers, Random(f"ends/{seed}")), 0
    configs: dict[int, TrialConfig] = {}
    best, regret = float("inf"), float("inf")
    regrets: list[float] = []
    seconds: list[float] = []
    while len(regrets) < trials:
        while asked < trials and not running.is_full:
            started = time.perf_counter()
            configs[asked] = search.ask(asked)
            seconds.append(time.perf_counter() - started)
            running.begin(asked)
            asked += 1
        number = running.end_one()
        config = configs.pop(number)
        value = landscape.measure(config, f"{seed}/{number}")
        search.tell(number, value)
        if value < best:
            best, regret = value, landscape.regret(config)
        regrets.append(regret)
    return Course(regrets, seconds)
