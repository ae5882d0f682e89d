"""The script of an array job whose tasks are a study's workers."""

import re
import shlex
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from objectives.contract import DataError
from search.errors import UsageError
from search.fleet.engine import Order
from search.fleet.rendering import ARTIFACTS, crew_words, template
from search.processes.program import this_program
from search.settings import Settings
from search.studies.folders import find_data

TEMPLATE = "slurm.sh.txt"


def render_script(order: Order, tasks: int) -> str:
    """Return the script of an array of so many tasks; UsageError for an order that Slurm refuses.

    It holds paths and no secret.
    """
    return template(TEMPLATE, {"quote": shlex.quote}).render(
        study=order.study,
        job=order.job,
        tasks=tasks,
        place=_place(order),
        uses_gpu=order.uses_gpu,
        per_gpu=order.per_gpu,
        logs=str(log_folder(order.home, order.study)),
        secrets=order.secrets and str(order.secrets),
        environment=sorted(_shared(order).items()),
        command=shlex.join([*this_program(), *crew_words(order, _data(order))]),
        **_directives(order),
    )


def log_folder(home: Path, study: str) -> Path:
    """Return the folder in which each task writes the log JOB_TASK.log."""
    return Settings(home=home).study_folder(study) / "slurm"


def artifacts(order: Order) -> str:
    """Return the place of the files that trials keep, which every node must reach.

    It is the one that was named, else the folder of the home in which the fleet is started: a
    node's own home is removed.
    """
    return order.environment.get(ARTIFACTS) or Settings(home=order.home).artifacts


def _place(order: Order) -> str:
    device = "one GPU" if order.uses_gpu else "the CPU"
    return f"one worker on {device}" if order.per_gpu == 1 else f"{order.per_gpu} on {device}"


def _directives(order: Order) -> dict[str, object]:
    """Return what becomes lines of #SBATCH; a line break in one would start another command."""
    options = order.options
    words: dict[str, object] = {
        # %A and %a are the numbers of array and task
        "log": str(log_folder(order.home, order.study)).replace("%", "%%") + "/%A_%a.log",
        "partition": options["partition"],
        "time": options["time"],
        "sbatch": options["sbatch"],
        "warn_seconds": round(60 * options["warn_minutes"]),
    }
    for name, word in words.items():
        if re.search(r'[\n\r"\\]', str(word)) and name == "log":
            raise UsageError(
                f"Slurm cannot write logs into {log_folder(order.home, order.study)}",
                "set SEARCH_HOME to a path without quotes, backslashes and line breaks",
            )
        if any("\n" in each or "\r" in each for each in _texts(word)):
            raise UsageError(f"{word!r} has a line break", "give each option of sbatch by itself")
    return words


def _texts(word: object) -> Sequence[str]:
    return word if isinstance(word, list) else [str(word)]


def _shared(order: Order) -> dict[str, str]:
    without_gpu = {} if order.uses_gpu else {"CUDA_VISIBLE_DEVICES": ""}
    return {**order.environment, ARTIFACTS: artifacts(order), **without_gpu}


def _data(order: Order) -> Path | None:
    """Return the data's folder: a node's own home remembers none, so this home's is named."""
    if order.data:
        return order.data
    with suppress(DataError):
        return find_data(Settings(home=order.home), order.study, None)
    return None
