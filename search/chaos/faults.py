"""The faults of `search chaos`, each done to a box in which a study runs."""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from objectives.files import checkpoints
from objectives.files.whole import write_text_whole
from search.chaos.sandbox import LEASE_SECONDS, NAME, Box, NoProgress, wait_for
from storage.postgres import server
from storage.rows import WorkerRow

POINTS = (0, 1, 2, 3, 4, "commit", "after")  # before a statement, before the commit, after it


@dataclass(frozen=True)
class Done:
    """What was done, in words; `repeated` says so if more must be repeated than promised."""

    words: str
    repeated: str = ""


def kill_worker(box: Box, dice: random.Random) -> Done:
    """SIGKILL in the middle of an epoch: one epoch at most is repeated."""
    victim = _stopped_victim(box, dice)
    recorded, saved = _recorded(box, victim), _saved(box, victim)
    psutil.Process(victim.pid).kill()
    return Done("SIGKILL of a worker", _repeated(recorded, saved))


def tear_checkpoint(box: Box, dice: random.Random) -> Done:
    """SIGKILL, and the newest checkpoint is cut in half: the one before is taken."""
    victim = _stopped_victim(box, dice)
    newest = _newest(box, victim)
    if newest:
        with newest.open("r+b") as file:
            file.truncate(newest.stat().st_size // 2)
    recorded, saved = _recorded(box, victim), _saved(box, victim)
    psutil.Process(victim.pid).kill()
    return Done(
        "SIGKILL of a worker, its newest checkpoint torn", _repeated(recorded, saved, torn=1)
    )


def kill_in_write(box: Box, dice: random.Random) -> Done:
    """SIGKILL between two statements of a write."""
    act, point = dice.choice(("claim", "record", "tell")), dice.choice(POINTS)
    _order(box, f"{act} {point} KILL")
    return Done(f"SIGKILL of a worker in {_place(act, point)}")


def pause_in_write(box: Box, dice: random.Random) -> Done:
    """SIGSTOP between two statements of a write, for less than the lease."""
    act, point = dice.choice(("claim", "record")), dice.choice(POINTS)
    pid = _order(box, f"{act} {point} STOP")
    time.sleep(dice.uniform(0.2, 0.5) * LEASE_SECONDS)
    psutil.Process(pid).resume()
    return Done(f"SIGSTOP of a worker in {_place(act, point)}, then SIGCONT")


def pause_past_lease(box: Box, dice: random.Random) -> Done:
    """SIGSTOP until another worker has taken the trial over, then SIGCONT."""
    victim = _stopped_victim(box, dice)

    def taken_over() -> bool:
        return box.store.attempts(NAME, victim.trial)[-1].worker != victim.worker

    wait_for("another worker's attempt at a paused worker's trial", taken_over)
    psutil.Process(victim.pid).resume()
    return Done("SIGSTOP of a worker past its lease, then SIGCONT")


def crash_database(box: Box, dice: random.Random) -> Done:
    """Stop Postgres at once; the supervisor starts it again."""
    time.sleep(dice.uniform(0, 0.3))
    box.crash_database()
    return Done("immediate stop of Postgres")


def outage(box: Box, dice: random.Random) -> Done:
    """Postgres away on purpose, for longer than the lease and several epochs."""
    away_seconds = dice.uniform(1.5, 3) * LEASE_SECONDS
    server.stop(box.home)
    time.sleep(away_seconds)
    server.start(box.home)
    return Done(f"Postgres away for {away_seconds:.0f} s")


def kill_supervisor(box: Box, dice: random.Random) -> Done:
    """SIGKILL `search run`, which takes its workers along, and start it again."""
    time.sleep(dice.uniform(0, 0.3))
    box.kill_supervisor()
    box.start_run()
    return Done("SIGKILL of the supervisor, then `search run` again")


def tear_down(box: Box, dice: random.Random) -> Done:
    """SIGKILL everything, Postgres too, and start it again."""
    time.sleep(dice.uniform(0, 0.3))
    box.kill_database()
    box.kill_supervisor()
    box.start_run()
    return Done("SIGKILL of everything, Postgres too, then `search run` again")


def drain(box: Box, dice: random.Random) -> Done:
    """Ctrl-C, and the same command again."""
    time.sleep(dice.uniform(0, 0.3))
    box.drain()
    box.start_run()
    return Done("Ctrl-C, then `search run` again")


Fault = Callable[[Box, random.Random], Done]
FAULTS: dict[str, Fault] = {
    fault.__name__.replace("_", "-"): fault
    for fault in (
        kill_worker,
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


def _stopped_victim(box: Box, dice: random.Random) -> WorkerRow:
    """Stop a worker that trains, somewhere in an epoch, and give it as it stands then."""
    while True:
        victim = dice.choice(wait_for("a worker at work", box.training))
        time.sleep(dice.uniform(0, 0.2))
        with suppress(psutil.NoSuchProcess):
            psutil.Process(victim.pid).suspend()
            if any(row.worker == victim.worker for row in box.training()):
                return next(row for row in box.training() if row.worker == victim.worker)
            psutil.Process(victim.pid).resume()  # it was between two trials


def _order(box: Box, order: str) -> int:
    """Leave an order and give the process that obeyed it."""
    write_text_whole(box.order, order)
    try:
        taken = wait_for(f"the moment for {order}", lambda: list(box.home.glob("order.taken-*")))
    except NoProgress:
        box.order.unlink(missing_ok=True)
        raise
    for path in taken:
        path.unlink()
    return int(taken[0].name.rpartition("-")[2])


def _place(act: str, point: object) -> str:
    where = {"commit": "before its commit", "after": "after its commit"}
    return f"{act}, {where.get(str(point), f'before statement {point}')}"


def _recorded(box: Box, worker: WorkerRow) -> int:
    return len(box.store.epochs(NAME, worker.trial))


def _repeated(recorded: int, saved: int, torn: int = 0) -> str:
    """Say that more than the epoch in flight, and the torn one, must be trained again."""
    if saved >= recorded - torn:
        return ""
    return f"{recorded} epochs are recorded and {saved} in a good checkpoint"


def _newest(box: Box, worker: WorkerRow) -> Path | None:
    assert worker.trial is not None
    folder = box.settings.trial_folder(NAME, worker.trial)
    return checkpoints.newest_good(folder.glob("attempt-*"))


def _saved(box: Box, worker: WorkerRow) -> int:
    newest = _newest(box, worker)
    return int(newest.name.split("-")[1]) if newest else 0
