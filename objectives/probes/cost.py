"""What a configuration costs on a device: asked of a process of its own, so no torch here."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any

from objectives.contract import RecipeError


@dataclass(frozen=True)
class Cost:
    """One optimizer step of a configuration.

    step_seconds: the whole batch, forward, backward and update. part: images at once, 0 where not
    even one fits. memory_bytes: the process's peak with so many; capacity_bytes: what one worker
    may take. measured_images: how many were passed at once to find this out; fewer than `part`
    means that time and memory are extrapolated.
    """

    step_seconds: float
    part: int
    memory_bytes: float
    capacity_bytes: float
    measured_images: int


def measure_costs(
    configs: Sequence[Mapping[str, Any]],
    classes: int,
    device: str,
    environment: Mapping[str, str],
    workers_per_device: int,
    launcher: Sequence[str] = (),
    objective: str = "image_classifier",
) -> Iterator[Cost]:
    """Yield each configuration's cost on a device that so many workers share, once it is known.

    environment: the process's, as a worker gets it (one GPU, its threads). launcher: what the
    process is started by, see `search.processes.spawn`. Raises RecipeError.
    """
    asked = {"configs": list(map(dict, configs)), "classes": classes, "device": device}
    asked |= {"share": 1 / workers_per_device, "objective": objective}
    command = [*launcher, sys.executable, "-P", "-m", "objectives.training.probe"]
    with (
        # A file each: a command line holds 240 configurations at most, and a pipe that nobody
        # reads yet would fill.
        _file_of(json.dumps(asked)) as question,
        TemporaryFile("w+") as words,
        subprocess.Popen(
            command,
            env=dict(environment),
            stdin=question,
            stdout=subprocess.PIPE,
            stderr=words,
            text=True,
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                yield Cost(**json.loads(line))
        except BaseException:
            process.kill()  # whoever stops asking, or is stopped, does not wait for the rest
            raise
        if process.wait():
            words.seek(0)
            raise RecipeError(_last_line(words.read()))


def _file_of(text: str) -> IO[str]:
    """Give an open file that is read from its beginning and gone when it is closed."""
    file = TemporaryFile("w+")  # noqa: SIM115 - the caller closes it
    file.write(text)
    file.seek(0)
    return file


def _last_line(said: str) -> str:
    lines = said.strip().splitlines()
    return lines[-1] if lines else "measuring ended without a word; see that memory is free"
