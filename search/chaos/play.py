"""Round after round of faults, then the end of the study and the promises."""

import random
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from search.chaos.box import LEASE_SECONDS, NAME, WORKERS, Box, NoProgress, wait_for
from search.chaos.faults import FAULTS
from search.chaos.promises import Promise, check, gather
from search.errors import DONE, DRAINED
from storage.errors import StorageError

GOES_ON = "the study goes on after every fault"
REPEATS = "one epoch at most is repeated, two after a torn checkpoint"


@dataclass
class Played:
    """What was done and what came of it."""

    faults: Counter[str] = field(default_factory=Counter)
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
    stuck: list[str] = []
    repeats: list[str] = []
    left: list[str] = []
    stuck_at = "the start"
    box.start_run()
    try:
        _wait_for_all_workers(box)
        for number, kind in enumerate(_deal(rounds, kinds, dice), start=1):
            stuck_at, before = f"round {number} ({kind})", monotonic()
            words = _round(box, kind, dice, repeats)
            played.faults[kind] += 1
            say(f"round {number}/{rounds}: {words}; all at work after {monotonic() - before:.1f} s")
        stuck_at = "the end"
        _end(box)
        left = [f"process {each.pid}: {shlex.join(each.cmdline())}" for each in box.processes()]
    except (NoProgress, StorageError) as error:
        stuck.append(f"{stuck_at}: {error}")
    say("checking what is left")
    goes_on = Promise(GOES_ON, played.faults.total() + len(stuck), tuple(stuck))
    repeated = Promise(REPEATS, played.faults.total(), tuple(repeats))
    nobody_left = Promise("no process is left behind", 1, tuple(left))
    played.promises = [goes_on, repeated, nobody_left, *_check(box)]
    played.seconds = monotonic() - started
    return played


def _deal(rounds: int, kinds: Sequence[str], dice: random.Random) -> Iterator[str]:
    dealt = 0
    while dealt < rounds:
        for kind in dice.sample(kinds, len(kinds))[: rounds - dealt]:
            yield kind
            dealt += 1


def _round(box: Box, kind: str, dice: random.Random, repeats: list[str]) -> str:
    done = FAULTS[kind](box, dice)
    if done.broken:
        repeats.append(done.broken)
    since = wait_for("the database", box.last_epoch_at)
    _wait_for_all_workers(box, since, f" after {done.words}")
    return done.words


def _wait_for_all_workers(box: Box, since: datetime | None = None, after: str = "") -> None:
    wait_for(
        f"an epoch of every worker{after}",
        lambda: len(box.workers_heard_since(since)) >= WORKERS,
    )


def _end(box: Box) -> None:
    """Drain the study, make what has begun its budget, and let it end."""
    if (code := box.drain()) != DRAINED:
        raise NoProgress(f"Ctrl-C ended the run with {code}, not {DRAINED}")
    box.start_run("--trials", str(_begun(box)))
    if (code := box.end_of_run()) != DONE:
        raise NoProgress(f"the last run ended with {code}, not {DONE}")


def _begun(box: Box) -> int:
    return sum(trial.state != "WAITING" for trial in box.store.trials(NAME))


def _check(box: Box) -> list[Promise]:
    """Check what is in the database; of a study that is stuck, as far as it came."""
    box.leave()
    try:
        return check(gather(box.store, NAME, _begun(box), LEASE_SECONDS))
    except StorageError as error:
        return [Promise("the database can be read", 1, (str(error),))]
