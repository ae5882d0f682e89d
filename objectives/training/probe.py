"""Measure the time and the memory that an optimizer step takes on this device.

`python -m objectives.training.probe` reads {objective, configs, classes, channels, device, share}
as JSON and prints a line of JSON per configuration.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import torch

from objectives.catalog import load_task, network_recipe
from objectives.contract import RecipeError, is_out_of_memory
from objectives.probes.cost import Cost
from objectives.recipe.image import ImageRecipe
from objectives.recipe.volume import VolumeRecipe
from objectives.training import precision
from objectives.training.learning.average import averaged
from objectives.training.learning.losses import build_criterion
from objectives.training.learning.schedule import learning_stages
from objectives.training.step import Stepper, blank_batch, build_stepper, fit_into_memory
from objectives.training.task import Task

_WARM_STEPS, _TIMED_STEPS = 2, 5  # the first ones choose kernels and create the optimizer's state
_ENOUGH_SECONDS = 2.0
_HOST_IMAGES = 16  # at once on a CPU, where a whole batch of 256 would take a minute


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A configuration to be measured.

    channels: of one image.
    device: "cpu" or "cuda".
    share: of the device's memory, for one worker.
    """

    recipe: ImageRecipe | VolumeRecipe
    classes: int
    channels: int
    device: str
    share: float

    def cost(self) -> Cost:
        """Measure the cost of a step; its `micro_batch` is 0 where not even one image fits."""
        precision.settle(torch.get_num_threads(), deterministic=self.recipe.deterministic)
        is_gpu = self.device == "cuda"
        capacity = self.share * (_gpu_bytes() if is_gpu else psutil.virtual_memory().available)
        try:
            return self._on_gpu(capacity) if is_gpu else self._on_host(capacity)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            return Cost(
                step_seconds=0.0,
                micro_batch=0,
                memory_bytes=capacity,
                capacity_bytes=capacity,
                measured_images=0,
            )

    def _on_gpu(self, capacity: float) -> Cost:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        step = self.stepping()
        for _ in range(_WARM_STEPS):
            step()
        torch.cuda.synchronize()
        started = time.perf_counter()
        for _ in range(_TIMED_STEPS):
            micro_batch = step().micro_batch
        torch.cuda.synchronize()
        return Cost(
            step_seconds=(time.perf_counter() - started) / _TIMED_STEPS,
            micro_batch=micro_batch,
            memory_bytes=torch.cuda.max_memory_reserved(),
            capacity_bytes=capacity,
            measured_images=micro_batch,
        )

    def _on_host(self, capacity: float) -> Cost:
        """Extrapolate from two small batches: a host promises more memory than it has."""
        batch, many = self.recipe.batch_size, min(_HOST_IMAGES, self.recipe.batch_size)
        few = min(many, max(3, many // 2))  # fewer may be too few for BatchNorm
        (_, less, _), (seconds, more, fewest) = (
            _timed(replace(self, recipe=replace(self.recipe, batch_size=images)))
            for images in (few, many)
        )
        per_image = max(0.0, (more - less) / max(1, many - few))
        micro_batch = self.recipe.micro_batch or batch
        while micro_batch > fewest and more + per_image * (micro_batch - many) > capacity:
            micro_batch = max(fewest, micro_batch // 2)
        memory = more + per_image * (micro_batch - many)
        return Cost(
            step_seconds=seconds * batch / many,
            micro_batch=micro_batch if memory <= capacity else 0,
            memory_bytes=memory,
            capacity_bytes=capacity,
            measured_images=many,
        )

    def stepping(self) -> Callable[[], Stepper]:
        """Build a function that takes one step of a batch and returns the stepper."""
        recipe = self.recipe
        task: Task = load_task(replace(recipe, weights="none"), self.channels)
        model = task.build(self.classes).to(self.device)
        model.to(memory_format=task.memory_format)
        stepper = build_stepper(recipe, model, precision.autocast(recipe.precision, self.device))
        counts = torch.full((self.classes,), 100, device=self.device)
        criterion = build_criterion(recipe, counts, recipe.epochs)
        average = averaged(model, recipe.ema_decay) if recipe.ema_decay else None
        fit_into_memory(stepper, task, criterion, shape=task.shape)
        model.learn(learning_stages(recipe, recipe.epochs))
        model.train()
        batch = blank_batch(task, task.shape, self.device)
        batch.pixels.normal_()

        def step() -> Stepper:
            stepper.step(batch, criterion)
            if average:
                average.update_parameters(model)
            return stepper

        return step


@cache  # larger batches are extrapolated from the same few images
def _timed(probe: Probe) -> tuple[float, float, int]:
    """Return the seconds of a step, the process's peak of memory in bytes and the smallest part."""
    step = probe.stepping()
    smallest = step().smallest_part
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak (man proc)
    seconds: list[float] = []
    while len(seconds) < _TIMED_STEPS and sum(seconds) < _ENOUGH_SECONDS:
        started = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - started)
    return median(seconds), _peak_bytes(), smallest


def main(question: Mapping[str, Any]) -> int:
    """Print the cost of each configuration; return 2, with the error on stderr, where one fails."""
    if question["device"] == "cuda":
        torch.cuda.set_per_process_memory_fraction(question["share"])
    try:
        for config in question["configs"]:
            probe = Probe(
                recipe=network_recipe(question["objective"], config),
                **{name: question[name] for name in ("classes", "channels", "device", "share")},
            )
            print(json.dumps(asdict(probe.cost())), flush=True)
    except RecipeError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _gpu_bytes() -> int:
    return torch.cuda.get_device_properties(0).total_memory


def _peak_bytes() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return float(peak) * 1024


if __name__ == "__main__":
    sys.exit(main(json.load(sys.stdin)))
