"""The tasks of a fleet in Slurm: submitted, listed, told to end, cancelled."""

import getpass
import os
import re
import subprocess
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from objectives.script.environment import without_secrets
from search.errors import UsageError
from search.secrets_file import AWS, OURS

ENDED = {
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PREEMPTED",
    "TIMEOUT",
}
WAITING = {"PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT"}
FIELDS = ("JobArrayID", "State", "NodeList", "RestartCnt", "Reason", "exit_code")
# The worker reads these in the file of secrets; sbatch would store them with the job.
SECRETS = {*OURS, *AWS, "PGPASSWORD"}

REACH_FIX = "type the command where `sinfo` answers: on a login node, or with SLURM_CONF set"


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task of an array job, as `squeue` lists it; the ended ones for some minutes.

    name: of job and task, such as `12_3`.
    state: in Slurm's words, such as `RUNNING`.
    reason: why it waits, in Slurm's words.
    """

    name: str
    state: str
    node: str
    restarts: int
    reason: str
    exit_code: int

    @property
    def is_waiting(self) -> bool:
        """Whether it waits in the queue."""
        return self.state in WAITING

    @property
    def has_ended(self) -> bool:
        """Whether it will not run again."""
        return self.state in ENDED


def submit(script: str, job: str) -> str:
    """Submit a script and return the number of its job; UsageError with Slurm's words.

    job: its name, by which alone its tasks are found again. On the command line it counts before
        `SBATCH_JOB_NAME`, and before a name among the user's words in the script.
    """
    words = ["sbatch", "--parsable", f"--job-name={job}"]
    found = _run(words, script, fix="change the option, or the words of --sbatch")
    return found.strip().partition(";")[0]  # NUMBER;CLUSTER where there are several


def list_tasks(job: str) -> list[Task]:
    """Return the tasks of all jobs of that name that are this user's."""
    form = ",".join(f"{field}:|" for field in FIELDS)
    words = ["squeue", "--noheader", "--array", "--states=all", f"--name={job}", "-O", form]
    lines = _run([*words, f"--user={getpass.getuser()}"]).splitlines()
    tasks = [_task(line.strip().split("|")) for line in lines if line.strip()]
    return sorted(tasks, key=lambda task: [int(part) for part in re.findall(r"\d+", task.name)])


def leaving(tasks: Collection[Task]) -> set[str]:
    """Return the names of the tasks that were told not to come back."""
    found = set()
    for number in {task.name.partition("_")[0] for task in tasks if not task.has_ended}:
        for line in _run(
            ["scontrol", "show", "job", "--oneliner", number], may_fail=True
        ).splitlines():
            fields = dict(word.partition("=")[::2] for word in line.split())
            if fields.get("Requeue") == "0":
                found.add(f"{fields.get('ArrayJobId')}_{fields.get('ArrayTaskId')}")
    return found


def hand_back(tasks: Sequence[Task]) -> None:
    """Tell running tasks to end after the epoch in flight, and not to come back.

    Slurm keeps the second as the task's Requeue=0, which the script reads.
    """
    for task in tasks:
        _run(["scontrol", "update", f"JobId={task.name}", "Requeue=0"], may_fail=True)
    if tasks:  # to the shell, which passes it on, to a worker that just starts as well
        _run(["scancel", "--batch", "--signal=USR1", *_names(tasks)], may_fail=True)


def cancel_waiting(tasks: Sequence[Task]) -> None:
    """Take tasks out of the queue; one that has started meanwhile stays."""
    if tasks:
        _run(["scancel", "--state=PENDING", *_names(tasks)], may_fail=True)


def kill(tasks: Sequence[Task]) -> None:
    """End tasks at once."""
    if tasks:
        _run(["scancel", "--signal=KILL", *_names(tasks)], may_fail=True)
        _run(["scancel", *_names(tasks)], may_fail=True)


def _names(tasks: Sequence[Task]) -> list[str]:
    return [task.name for task in tasks]


def _task(fields: Sequence[str]) -> Task:
    name, state, node, restarts, reason, exit_code = (*fields, *[""] * len(FIELDS))[: len(FIELDS)]
    return Task(
        name=name,
        state=state,
        node=node,
        restarts=int(restarts or 0),
        reason="" if reason == "None" else reason,
        exit_code=int(exit_code or 0) >> 8,
    )


def _run(
    words: Sequence[str],
    given: str = "",
    *,
    fix: str = REACH_FIX,
    may_fail: bool = False,
) -> str:
    """Run a program of Slurm's; UsageError where there is none, or it fails."""
    try:
        done = subprocess.run(
            words, input=given, capture_output=True, text=True, env=_without_secrets()
        )
    except FileNotFoundError:
        raise UsageError(
            f"this machine has no {words[0]}",
            "type the command on a machine from which you submit jobs to Slurm",
        ) from None
    if done.returncode and not may_fail:
        said = " ".join(done.stderr.replace(f"{words[0]}: error: ", "").split())
        raise UsageError(f"{words[0]} says: {said or f'exit code {done.returncode}'}", fix)
    return done.stdout


def _without_secrets() -> dict[str, str]:
    """Return this process's environment for sbatch, which stores it with the job."""
    kept = without_secrets(os.environ)
    return {name: text for name, text in kept.items() if name not in SECRETS}
