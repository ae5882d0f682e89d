"""The faults of `search chaos`, each injected into a sandbox in which a study runs."""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from search.chaos.sandbox import LEASE_SECONDS, NAME, NoProgress, Sandbox, wait_for
from search.chaos.saved import epoch_saved, newest_saved
from storage.postgres import server
from storage.rows import WorkerRow

POINTS = (0, "after")  # before the one statement of a write, and after it


@dataclass(frozen=True)
class Injected:
    """A fault that was injected.

    words: the fault for people.
    repeated: says so if more epochs must be repeated than promised; else empty.
    """

    words: str
    repeated: str = ""


def kill_worker(sandbox: Sandbox, dice: random.Random) -> Injected:
    """SIGKILL a worker in the middle of an epoch: at most one epoch is repeated."""
    victim = _stopped_victim(sandbox, dice)
    recorded, saved = _recorded(sandbox, victim), epoch_saved(_folder(sandbox, victim))
    psutil.Process(victim.pid).kill()
    return Injected("SIGKILL of a worker", _repeated(recorded, saved))


def kill_script(sandbox: Sandbox, dice: random.Random) -> Injected:
    """SIGKILL the script of a worker: another attempt goes on with its trial."""
    victim = wait_for("a script at work", sandbox.scripts)
    process = dice.choice(victim)
    time.sleep(dice.uniform(0, 0.2))
    with suppress(psutil.NoSuchProcess):
        process.kill()
    return Injected("SIGKILL of a script")


def tear_checkpoint(sandbox: Sandbox, dice: random.Random) -> Injected:
    """SIGKILL a worker and cut its newest checkpoint in half: the one before is used."""
    victim = _stopped_victim(sandbox, dice)
    newest = newest_saved(_folder(sandbox, victim))
    if newest:
        with newest.open("r+b") as file:
            file.truncate(newest.stat().st_size // 2)
    recorded, saved = _recorded(sandbox, victim), epoch_saved(_folder(sandbox, victim))
    psutil.Process(victim.pid).kill()
    return Injected(
        "SIGKILL of a worker, its newest checkpoint torn", _repeated(recorded, saved, torn=1)
    )


def kill_in_write(sandbox: Sandbox, dice: random.Random) -> Injected:
    """SIGKILL a worker between two statements of a write."""
    act, point = dice.choice(("claim", "record", "note_rung", "tell")), dice.choice(POINTS)
    _order(sandbox, f"{act} {point} KILL")
    return Injected(f"SIGKILL of a worker in {_moment(act, point)}")


def pause_in_write(sandbox: Sandbox, dice: random.Random) -> Injected:
    """SIGSTOP a worker between two statements of a write, for less than the lease."""
    act, point = dice.choice(("claim", "record")), dice.choice(POINTS)
    pid = _order(sandbox, f"{act} {point} STOP")
    time.sleep(dice.uniform(0.2, 0.5) * LEASE_SECONDS)
    psutil.Process(pid).resume()
    return Injected(f"SIGSTOP of a worker in {_moment(act, point)}, then SIGCONT")


def pause_past_lease(sandbox: Sandbox, dice: random.Random) -> Injected:
    """SIGSTOP a worker until another one has taken its trial over, then SIGCONT."""
    victim = _stopped_victim(sandbox, dice)

    def is_taken_over() -> bool:
        return sandbox.store.attempts(NAME, victim.trial)[-1].worker != victim.worker

    wait_for("another worker's attempt at a paused worker's trial", is_taken_over)
    psutil.Process(victim.pid).resume()
    return Injected("SIGSTOP of a worker past its lease, then SIGCONT")


def crash_database(sandbox: Sandbox, dice: random.Random) -> Injected:
    """Stop Postgres at once; the supervisor starts it again."""
    time.sleep(dice.uniform(0, 0.3))
    sandbox.crash_database()
    return Injected("immediate stop of Postgres")


def outage(sandbox: Sandbox, dice: random.Random) -> Injected:
    """Stop Postgres on purpose, for longer than the lease and several epochs."""
    away_seconds = dice.uniform(1.5, 3) * LEASE_SECONDS
    server.stop(sandbox.home)
    time.sleep(away_seconds)
    server.start(sandbox.home)
    return Injected(f"Postgres away for {away_seconds:.0f} s")


def kill_supervisor(sandbox: Sandbox, dice: random.Random) -> Injected:
    """SIGKILL `search run`, with which its workers die, and start it again."""
    time.sleep(dice.uniform(0, 0.3))
    sandbox.kill_supervisor()
    sandbox.start_run()
    return Injected("SIGKILL of the supervisor, then `search run` again")


def tear_down(sandbox: Sandbox, dice: random.Random) -> Injected:
    """SIGKILL everything, Postgres included, and start it again."""
    time.sleep(dice.uniform(0, 0.3))
    sandbox.kill_database()
    sandbox.kill_supervisor()
    sandbox.start_run()
    return Injected("SIGKILL of everything, Postgres too, then `search run` again")


def drain(sandbox: Sandbox, dice: random.Random) -> Injected:
    """Press Ctrl-C, then type the same command again."""
    time.sleep(dice.uniform(0, 0.3))
    sandbox.drain()
    sandbox.start_run()
    return Injected("Ctrl-C, then `search run` again")


Fault = Callable[[Sandbox, random.Random], Injected]
SCRIPT_FAULT = "kill-script"  # the one that needs a script
FAULTS: dict[str, Fault] = {
    fault.__name__.replace("_", "-"): fault
    for fault in (
        kill_worker,
        kill_script,
        kill_in_write,
        pause_in_write,
        pause_past_lease,
        tear_checkpoint,
        crash_database,
        outage,
        kill_supervisor,
        tear_down,
        drain,
    )
}


def _stopped_victim(sandbox: Sandbox, dice: random.Random) -> WorkerRow:
    """Stop a worker somewhere in an epoch and return its row as it is then."""
    while True:
        victim = dice.choice(wait_for("a worker at work", sandbox.training_workers))
        time.sleep(dice.uniform(0, 0.2))
        with suppress(psutil.NoSuchProcess):
            psutil.Process(victim.pid).suspend()
            rows = {row.worker: row for row in sandbox.training_workers()}
            if victim.worker in rows:
                return rows[victim.worker]
            psutil.Process(victim.pid).resume()  # it was between two trials


def _order(sandbox: Sandbox, order: str) -> int:
    """Write an order and return the pid of the process that obeyed it."""
    unfinished = sandbox.orders.with_suffix(".new")
    unfinished.write_text(order)
    unfinished.rename(sandbox.orders)
    try:
        taken = wait_for(
            f"the moment for {order}", lambda: list(sandbox.home.glob("orders.taken-*"))
        )
    except NoProgress:
        sandbox.orders.unlink(missing_ok=True)
        raise
    for path in taken:
        path.unlink()
    return int(taken[0].name.rpartition("-")[2])


def _moment(act: str, point: object) -> str:
    return f"{act}, {'after' if point == 'after' else 'before'} its statement"


def _recorded(sandbox: Sandbox, worker: WorkerRow) -> int:
    return len(sandbox.store.epochs(NAME, worker.trial))


def _repeated(recorded: int, saved: int, torn: int = 0) -> str:
    """Say that more must be trained again than the epoch in flight and the torn one."""
    if saved >= recorded - torn:
        return ""
    return f"{recorded} epochs are recorded and {saved} in a good checkpoint"


def _folder(sandbox: Sandbox, worker: WorkerRow) -> Path:
    assert worker.trial is not None
    return sandbox.settings.trial_folder(NAME, worker.trial)
