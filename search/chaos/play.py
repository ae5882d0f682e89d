"""Rounds of faults, then the end of the study and the check of the promises."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from search.chaos.faults import FAULTS
from search.chaos.promises import Promise, check, observe
from search.chaos.sandbox import LEASE_SECONDS, NAME, WORKERS, NoProgress, Sandbox, wait_for
from spaces.exits import DONE
from storage.errors import StorageError


@dataclass(kw_only=True)
class ChaosResult:
    """The faults that were injected, and the promises that were kept or broken.

    faults: how many of each kind.
    budget: the trials that the study was to end with, None if it did not come to its end.
    stuck: each stage at which the study did not go on, in one line.
    repeated: each fault after which more is repeated than promised, in one line.
    left: each process that was left behind, in one line.
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
    sandbox: Sandbox, kinds: Sequence[str], *, rounds: int, seed: int, say: Callable[[str], None]
) -> ChaosResult:
    """Inject a fault per round, let the study end, and check the promises.

    kinds: names of FAULTS; all of them come once before any comes twice.
    say: shows a line to the user.
    """
    result, started, dice = ChaosResult(), monotonic(), random.Random(seed)
    stage = "the start"
    try:
        sandbox.start_run()
        _wait_for_all_workers(sandbox)
        for number, kind in enumerate(_deal(rounds, kinds, dice), start=1):
            stage, before = f"round {number} ({kind})", monotonic()
            words = _play_round(sandbox, kind, dice, result)
            say(f"round {number}/{rounds}: {words}; all at work after {monotonic() - before:.1f} s")
        stage = "the end"
        _end_study(sandbox, result)
    except (NoProgress, StorageError) as error:
        result.stuck.append(f"{stage}: {error}")
    say("checking what is left")
    sandbox.end_processes()
    result.promises = _check(sandbox, result)
    result.seconds = monotonic() - started
    return result


def _deal(rounds: int, kinds: Sequence[str], dice: random.Random) -> Iterator[str]:
    dealt = 0
    while dealt < rounds:
        for kind in dice.sample(kinds, len(kinds))[: rounds - dealt]:
            yield kind
            dealt += 1


def _play_round(sandbox: Sandbox, kind: str, dice: random.Random, result: ChaosResult) -> str:
    injected = FAULTS[kind](sandbox, dice)
    result.faults[kind] += 1
    if injected.repeated:
        result.repeated.append(injected.repeated)
    since = wait_for("the database", sandbox.last_epoch_at)
    _wait_for_all_workers(sandbox, since, f" after {injected.words}")
    return injected.words


def _wait_for_all_workers(sandbox: Sandbox, since: datetime | None = None, after: str = "") -> None:
    wait_for(
        f"an epoch of every worker{after}",
        lambda: len(sandbox.recording_workers(since)) >= WORKERS,
    )


def _end_study(sandbox: Sandbox, result: ChaosResult) -> None:
    """Drain the study, set its budget to the trials that have begun, and let it end."""
    sandbox.drain()
    result.budget = _begun(sandbox)
    sandbox.start_run("--trials", str(result.budget))
    if (code := sandbox.end_of_run()) != DONE:
        raise NoProgress(f"the last run ended with {code}, not {DONE}")
    processes = sandbox.processes()
    result.left = [f"process {each.pid}: {' '.join(each.cmdline())}" for each in processes]


def _begun(sandbox: Sandbox) -> int:
    return sum(trial.state != "WAITING" for trial in sandbox.store.trials(NAME))


def _check(sandbox: Sandbox, result: ChaosResult) -> list[Promise]:
    """Check the promises about the run and those about the database.

    A study that got stuck is checked as far as it came.
    """
    faults = result.faults.total()
    seen = [
        Promise("the study goes on after every fault", faults, tuple(result.stuck)),
        Promise(
            "one epoch at most is repeated, two after a torn checkpoint",
            faults,
            tuple(result.repeated),
        ),
        Promise("no process is left behind", 1, tuple(result.left)),
    ]
    try:
        budget = _begun(sandbox) if result.budget is None else result.budget
        return seen + check(observe(sandbox.store, NAME, budget, LEASE_SECONDS))
    except StorageError as error:
        return [*seen, Promise("the database can be read", 1, (str(error),))]
