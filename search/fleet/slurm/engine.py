"""Slurm as the engine of a fleet: array jobs whose tasks keep a study's workers alive."""

import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from search.fleet.engine import Fleet, Order, Slot, State, Tell, secrets_of
from search.fleet.rendering import ARTIFACTS, crew_count
from search.fleet.slurm.script import artifacts, log_folder, render_script
from search.fleet.slurm.tasks import (
    Task,
    cancel_waiting,
    hand_back,
    kill,
    leaving,
    list_tasks,
    submit,
)
from spaces.exits import LASTING

LOOK_SECONDS = 1.0
LOOKS_PER_SIGNAL = 10
SLURMS = ("srun: ", "slurmstepd")  # the openers of Slurm's own lines in a log
LOGS = "logs"  # the key of a fleet's details


class SlurmEngine:
    """Tasks by the name of their job, which every array of one fleet has."""

    def render(self, order: Order) -> str:
        """Return the script that `up` submits where nothing runs yet."""
        return render_script(order, _count(order))

    def up(self, order: Order, tell: Tell) -> Fleet:
        """Bring the fleet to its number of tasks: submit another array, or hand some back."""
        wanted = _count(order)
        _check(order, tell)
        here = _coming_back(order.job)
        if missing := wanted - len(here):
            if missing > 0:
                script = render_script(order, missing)
                log_folder(order.home, order.study).mkdir(parents=True, exist_ok=True)
                tell(f"job {submit(script, order.job)}: an array of {missing}")
            else:
                _shrink(here, -missing, tell)
        return Fleet(
            engine="slurm",
            study=order.study,
            job=order.job,
            workers=wanted * order.per_gpu,
            details={LOGS: str(log_folder(order.home, order.study))},
        )

    def status(self, fleet: Fleet) -> Sequence[Slot]:
        """Return a place per task, also of those that ended within the last minutes."""
        tasks = list_tasks(fleet.job)
        going, logs = leaving(tasks), Path(fleet.details.get(LOGS, ""))
        return [_slot(task, logs, is_leaving=task.name in going) for task in tasks]

    def down(self, fleet: Fleet, tell: Tell, *, now: bool) -> Sequence[Slot]:
        """End every task: those in the queue at once, the others with their epoch unless `now`."""
        killed: dict[str, Task] = {}
        waited_for = 0
        for look in count():
            tasks = [task for task in list_tasks(fleet.job) if not task.has_ended]
            if not tasks:
                break
            running = [task for task in tasks if not task.is_waiting]
            cancel_waiting([task for task in tasks if task.is_waiting])
            if now:
                killed |= {task.name: task for task in running}
                kill(running)
            elif look % LOOKS_PER_SIGNAL == 0:
                hand_back(running)
            if len(running) not in (0, waited_for):
                waited_for = len(running)
                tell(f"{waited_for} tasks end" + ("" if now else "; --now does not wait for it"))
            time.sleep(LOOK_SECONDS)
        logs = Path(fleet.details.get(LOGS, ""))
        return [_slot(task, logs, is_leaving=True) for task in killed.values()]


def _count(order: Order) -> int:
    return crew_count(order, "Slurm", "tasks")


def _check(order: Order, tell: Tell) -> None:
    secrets_of(order)
    if ARTIFACTS not in order.environment:
        tell(
            f"trials keep their files in {artifacts(order)}, which every node must reach;"
            " SEARCH_ARTIFACTS names another place"
        )


def _coming_back(job: str) -> list[Task]:
    """Return the tasks of a fleet that run or wait, without those that were told to end."""
    tasks = [task for task in list_tasks(job) if not task.has_ended]
    going = leaving(tasks)
    return [task for task in tasks if task.name not in going]


def _shrink(tasks: Sequence[Task], surplus: int, tell: Tell) -> None:
    """End so many tasks: first those in the queue, then the youngest."""
    waiting = [task for task in tasks if task.is_waiting][::-1][:surplus]
    running = [task for task in tasks if not task.is_waiting][::-1]
    cancel_waiting(waiting)
    surplus -= len(waiting)
    hand_back(running[:surplus])
    tell(f"{len(waiting)} tasks left the queue, {surplus} end after their epoch")


def _slot(task: Task, logs: Path, *, is_leaving: bool) -> Slot:
    state = _state(task, is_leaving=is_leaving)
    return Slot(
        name=task.name,
        state=state,
        node=task.node,
        restarts=task.restarts,
        reason=task.reason if task.is_waiting else _last_line(task, logs),
    )


def _state(task: Task, *, is_leaving: bool) -> State:
    if task.is_waiting:
        return State.RESTARTING if task.restarts else State.QUEUED
    if not task.has_ended:
        return State.DRAINING if is_leaving else State.UP
    if task.state == "COMPLETED":
        return State.DRAINED if is_leaving else State.DONE
    return State.REFUSED if task.exit_code in LASTING else State.GONE


def _last_line(task: Task, logs: Path) -> str:
    """Return the worker's last line in an ended task's log, else its state in Slurm's words."""
    if not task.has_ended or task.state == "COMPLETED":
        return ""
    file = logs / f"{task.name}.log"
    lines = file.read_text(errors="replace").splitlines() if file.is_file() else []
    ours = (line for line in reversed(lines) if line.strip() and not line.startswith(SLURMS))
    said = next(ours, "")
    return f"{task.state}: {said}" if said else f"{task.state}; its log is {file}"
