"""Round after round of faults, then the end of the study and the promises."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from search.chaos.faults import FAULTS
from search.chaos.promises import Promise, check, gather
from search.chaos.sandbox import LEASE_SECONDS, NAME, WORKERS, Box, NoProgress, wait_for
from search.errors import DONE
from storage.errors import StorageError


@dataclass
class Played:
    """What was done and what came of it.

    budget: the trials that the study was to end with, None if it did not come to its end.
    stuck, repeated, left: what was seen to go wrong on the way, each in one line.
    """

    faults: Counter[str] = field(default_factory=Counter)
    budget: int | None = None
    stuck: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    promises: list[Promise] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether no promise was broken."""
        return not any(promise.broken for promise in self.promises)


def play(
    box: Box, rounds: int, seed: int, kinds: Sequence[str], say: Callable[[str], None]
) -> Played:
    """Inject so many faults, let the study end, and check what it left.

    kinds: names of FAULTS, all of which come once before any comes twice.
    """
    played, started, dice = Played(), monotonic(), random.Random(seed)
    stage = "the start"
    try:
        box.start_run()
        _wait_for_all_workers(box)
        for number, kind in enumerate(_deal(rounds, kinds, dice), start=1):
            stage, before = f"round {number} ({kind})", monotonic()
            words = _round(box, kind, dice, played)
            say(f"round {number}/{rounds}: {words}; all at work after {monotonic() - before:.1f} s")
        stage = "the end"
        _end(box, played)
    except (NoProgress, StorageError) as error:
        played.stuck.append(f"{stage}: {error}")
    say("checking what is left")
    box.leave()
    played.promises = _check(box, played)
    played.seconds = monotonic() - started
    return played


def _deal(rounds: int, kinds: Sequence[str], dice: random.Random) -> Iterator[str]:
    dealt = 0
    while dealt < rounds:
        for kind in dice.sample(kinds, len(kinds))[: rounds - dealt]:
            yield kind
            dealt += 1


def _round(box: Box, kind: str, dice: random.Random, played: Played) -> str:
    done = FAULTS[kind](box, dice)
    played.faults[kind] += 1
    if done.repeated:
        played.repeated.append(done.repeated)
    since = wait_for("the database", box.last_epoch_at)
    _wait_for_all_workers(box, since, f" after {done.words}")
    return done.words


def _wait_for_all_workers(box: Box, since: datetime | None = None, after: str = "") -> None:
    wait_for(
        f"an epoch of every worker{after}",
        lambda: len(box.workers_heard_since(since)) >= WORKERS,
    )


def _end(box: Box, played: Played) -> None:
    """Drain the study, make what has begun its budget, and let it end."""
    box.drain()
    played.budget = _begun(box)
    box.start_run("--trials", str(played.budget))
    if (code := box.end_of_run()) != DONE:
        raise NoProgress(f"the last run ended with {code}, not {DONE}")
    played.left = [f"process {each.pid}: {' '.join(each.cmdline())}" for each in box.processes()]


def _begun(box: Box) -> int:
    return sum(trial.state != "WAITING" for trial in box.store.trials(NAME))


def _check(box: Box, played: Played) -> list[Promise]:
    """Check what was seen and what is in the database, of a stuck study as far as it came."""
    faults = played.faults.total()
    seen = [
        Promise("the study goes on after every fault", faults, tuple(played.stuck)),
        Promise(
            "one epoch at most is repeated, two after a torn checkpoint",
            faults,
            tuple(played.repeated),
        ),
        Promise("no process is left behind", 1, tuple(played.left)),
    ]
    try:
        budget = _begun(box) if played.budget is None else played.budget
        return seen + check(gather(box.store, NAME, budget, LEASE_SECONDS))
    except StorageError as error:
        return [*seen, Promise("the database can be read", 1, (str(error),))]
