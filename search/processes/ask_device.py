"""Ask NVIDIA's driver about one device in a fresh process.

`python -m search.processes.ask_device` prints what CUDA answers there about the first device that
CUDA_VISIBLE_DEVICES names. The answer in a process that has met a CUDA error says nothing: there
every call fails. A driver in a bad state may never answer, and then only the process is lost.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass

from search.processes import driver
from search.processes.spawn import launcher

PATIENCE_SECONDS = 60.0  # a driver that no process uses takes several seconds a GPU to start
END_SECONDS = 1.0  # of a process that was killed; one that hangs in the driver may stay
WORDS = [sys.executable, "-P", "-m", "search.processes.ask_device"]


@dataclass(frozen=True)
class Answer:
    """The driver's answer about a device.

    uuid: of the device, without the word in front; "" where there is none.
    trouble: why it cannot be used, "" where it can be.
    """

    uuid: str = ""
    trouble: str = ""


def ask_device(visible: str) -> Answer:
    """Ask about the first device of a CUDA_VISIBLE_DEVICES, for as long as a minute."""
    question = start_asking(visible)
    with suppress(subprocess.TimeoutExpired):
        question.wait(PATIENCE_SECONDS)
    return read_answer(question)


def start_asking(
    visible: str, environment: Mapping[str, str] = os.environ
) -> subprocess.Popen[str]:
    """Start the process that asks; it dies with this one."""
    return subprocess.Popen(
        [*launcher(), *WORDS],
        env={**environment, "CUDA_VISIBLE_DEVICES": visible},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def read_answer(question: subprocess.Popen[str]) -> Answer:
    """Read the answer of a process that has ended; one that has not is given up."""
    if question.poll() is None:
        give_up(question)
        return Answer(trouble="the driver does not answer")
    text, _ = question.communicate()
    return Answer(**json.loads(text)) if text else Answer(trouble="the driver broke off")


def give_up(question: subprocess.Popen[str]) -> None:
    """Kill a process that asks; nothing waits for one that the driver does not let go."""
    question.kill()
    with suppress(subprocess.TimeoutExpired):
        question.wait(END_SECONDS)
    if question.stdout:
        question.stdout.close()


def answer() -> Answer:
    """Ask the driver in this process."""
    try:
        uuids = driver.gpu_uuids()
        trouble = driver.trouble()
    except OSError as error:
        return Answer(trouble=str(error))
    return Answer(uuids[0] if uuids else "", trouble)


if __name__ == "__main__":
    print(json.dumps(asdict(answer())))
