"""The cost of an optimizer step on a device, measured by a child process that loads torch."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

from objectives.probes.ask import ask


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The cost of one optimizer step of a configuration.

    step_seconds: of a whole batch, forward, backward and update.
    micro_batch: images per forward pass; 0 where not even one fits.
    memory_bytes: the peak of the process with this micro-batch.
    capacity_bytes: the memory that one worker may take.
    measured_images: images per forward pass in the measurement; fewer than `micro_batch` means
        that time and memory are extrapolated.
    """

    step_seconds: float
    micro_batch: int
    memory_bytes: float
    capacity_bytes: float
    measured_images: int


@dataclass(frozen=True)
class Inputs:
    """The data that the measured networks would be trained on.

    classes: the number of classes.
    channels: of one image: 3, or the number of a volume's modalities.
    """

    objective: str
    classes: int
    channels: int


@dataclass(frozen=True, kw_only=True)
class SharedDevice:
    """A device to measure on, and the process that measures.

    device: "cpu" or "cuda".
    memory: the share of its memory that the process may take.
    environment: of the process, as a worker gets it (one GPU, its threads).
    launcher: the command that starts the process, see `search.processes.spawn`.
    """

    device: str
    memory: float
    environment: Mapping[str, str]
    launcher: Sequence[str] = ()


def measure_costs(
    configs: Sequence[Mapping[str, Any]], inputs: Inputs, shared: SharedDevice
) -> Iterator[Cost]:
    """Yield the cost of each configuration once it is measured; RecipeError where one fails."""
    question = {
        "configs": list(map(dict, configs)),
        **asdict(inputs),
        "device": shared.device,
        "share": shared.memory,
    }
    answers = ask(
        "objectives.training.probe",
        question,
        "measuring the cost of a step",
        environment=shared.environment,
        launcher=shared.launcher,
    )
    with closing(answers):
        for line in answers:
            yield Cost(**json.loads(line))
