"""A search as a piece of work: who chooses, on which landscape, with which prior."""

from dataclasses import asdict, dataclass
from functools import cache
from random import Random

from benchmarks.search_quality.beliefs import BELIEFS, believed
from benchmarks.search_quality.contenders import CONTENDERS
from benchmarks.search_quality.course import follow
from benchmarks.search_quality.jobs import Found, state_of
from benchmarks.search_quality.landscape import draw_config
from benchmarks.search_quality.peers import PEERS
from benchmarks.search_quality.table import ALL

COURSE = ("benchmarks.search_quality/course.py",)
PEER = ("benchmarks.search_quality/peer*.py",)
TPE = ("benchmarks.search_quality/memory.py", "search/samplers/*.py", "search/seeds.py")
OURS = (*TPE, "search/samplers/gp/*.py")


@dataclass(frozen=True, kw_only=True)
class Search:
    """One search.

    contender, landscape, belief: their names.
    seed: moves the best configuration and the priors, and seeds the contender.
    workers: trials at once.
    """

    contender: str
    landscape: str
    belief: str
    seed: int
    trials: int
    workers: int = 1

    @property
    def file(self) -> str:
        """The file of this contender and landscape, for this state of the code."""
        state = state_of((*COURSE, *_own(self.contender)), _sample(self.landscape))
        return f"{self.contender.replace(' ', '_')}-{self.landscape}-{state}.jsonl"

    def run(self) -> Found:
        """Run the search; the result is a course."""
        landscape = ALL[self.landscape](self.seed)
        space = believed(landscape, self.belief, self.seed)
        search = CONTENDERS[self.contender].begin(space, self.trials, self.seed)
        course = follow(search, landscape, trials=self.trials, workers=self.workers, seed=self.seed)
        return asdict(course)


def _own(contender: str) -> tuple[str, ...]:
    """Return the files on which the choices of one contender depend, beside its packages."""
    if contender in PEERS:
        return PEER
    if not CONTENDERS[contender].is_ours:
        return ()
    return TPE if contender == "tpe" else OURS


@cache
def _sample(name: str) -> str:
    """Describe a landscape by a sample of it, which shows every change of its code."""
    landscape, random = ALL[name](0), Random(0)
    spaces = [believed(landscape, belief, 0) for belief in BELIEFS]
    drawn = [draw_config(space, random) for space in spaces]
    measured = [landscape.measure(each, "sample") for each in drawn]
    return repr([landscape.best, spaces, drawn, measured])
