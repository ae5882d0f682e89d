"""Training with memory that is really short."""

import json
import subprocess
import sys
from typing import Any

import pytest

from objectives.contract import OutOfMemory
from objectives.training.memory import halve_until_it_fits

# A network at 128 px whose batch of 64 does not fit into what the process may still take: the limit
# is the kernel's, and the refusal comes out of torch's own allocator.
TRAIN = """
import json, os, resource
from contextlib import nullcontext, redirect_stdout
from io import StringIO
import torch
import torch._inductor.config, torchvision  # before the forks, which would each load them
from objectives import image_classifier
from objectives.contract import OutOfMemory
from objectives.sets.batch import Batch
from objectives.models.classifier import build_classifier
from objectives.recipe.image import ImageRecipe
from objectives.training.learning.losses import build_criterion
from objectives.training.probe import main
from objectives.training.step import build_stepper

def in_a_fork(work, *given):
    # Importing torch again takes seconds, and oneDNN keeps what it once refused.
    read, write = os.pipe()
    if os.fork() == 0:
        os.write(write, json.dumps(work(*given)).encode())
        os._exit(0)
    os.close(write)
    return json.load(open(read))

def take_at_most(room_mb):
    # Limit what this process may still take.
    taken = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    limit = taken + room_mb * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

def steps(parts, room_mb=None):
    # Train steps in such parts at most.
    torch.set_num_threads(1)
    recipe = ImageRecipe(backbone="small_cnn", batch_size=64, dropout=0.5)
    torch.manual_seed(1)
    model = build_classifier(recipe, classes=3)
    stepper = build_stepper(recipe, model, nullcontext())
    criterion = build_criterion(recipe, torch.tensor([30, 20, 14]), epoch=1)
    batch = Batch(torch.randn(64, 3, 128, 128), torch.arange(64) % 3)
    model.train()
    if room_mb:
        take_at_most(room_mb)
    seen = {"parts": [], "losses": []}
    try:
        for part in parts:
            stepper.micro_batch = min(part, stepper.micro_batch)
            seen["losses"].append(stepper.step(batch, criterion).item())
            seen["parts"].append(stepper.micro_batch)
    except OutOfMemory as error:
        return {"error": str(error)}
    weights = sum(value.double().sum().item() for value in model.state_dict().values())
    return {**seen, "weights": weights}

def costs():
    # Measure two networks; the second one's weights alone are more than the process may take.
    take_at_most(80)
    configs = [{"backbone": "small_cnn"}, {"backbone": "resnet50"}]
    asked = {"objective": "image_classifier", "classes": 3, "channels": 3, "configs": [
        {**each, "image_size": 32, "batch_size": 2} for each in configs
    ]}
    with redirect_stdout(StringIO()) as answers:
        assert main({**asked, "device": "cpu", "share": 1.0}) == 0
    return [json.loads(line) for line in answers.getvalue().splitlines()]

short = in_a_fork(steps, (64, 64), 300)
print(json.dumps({
    "short": short,
    "asked": in_a_fork(steps, short["parts"]),
    "none": in_a_fork(steps, (64, 64), 32),
    "costs": in_a_fork(costs),
}))
"""


@pytest.fixture(scope="module")
def trained() -> dict[str, Any]:
    """The steps of processes that are short of memory, and of one that is asked for such parts."""
    command = [sys.executable, "-P", "-c", TRAIN]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    results: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return results


@pytest.mark.slow
def test_a_batch_that_does_not_fit_is_passed_in_parts_as_if_it_had_been_from_the_start(
    trained: dict[str, Any],
) -> None:
    assert 1 < trained["short"]["parts"][0] < 64
    # Not one number tells that a whole batch was tried first: dropout and BatchNorm went back.
    assert trained["short"] == trained["asked"]


@pytest.mark.slow
def test_where_not_one_image_fits_the_trial_ends_as_out_of_memory(
    trained: dict[str, Any],
) -> None:
    assert "not even one image at a time fits" in trained["none"]["error"]


@pytest.mark.slow
def test_a_network_that_the_host_has_no_memory_for_is_measured_as_one_that_does_not_fit(
    trained: dict[str, Any],
) -> None:
    assert [cost["micro_batch"] for cost in trained["costs"]] == [2, 0]


def test_other_errors_are_not_taken_for_a_lack_of_memory() -> None:
    def run(part: int) -> None:
        raise RuntimeError(f"a shape is wrong with {part} images")

    with pytest.raises(RuntimeError, match="wrong with 8 images"):
        halve_until_it_fits(8, run)


@pytest.mark.parametrize(
    "said",
    [
        "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "could not create a primitive",
    ],
)
def test_memory_that_a_library_asks_for_itself_is_memory_too(said: str) -> None:
    def run(part: int) -> None:
        if part > 2:
            raise RuntimeError(said)

    assert halve_until_it_fits(8, run) == (None, 2)


def test_a_part_is_halved_until_it_fits_and_never_below_one() -> None:
    asked: list[int] = []

    def run(part: int) -> str:
        asked.append(part)
        if part > 3:
            raise MemoryError
        return "done"

    assert halve_until_it_fits(13, run) == ("done", 3)
    assert asked == [13, 6, 3]
    assert halve_until_it_fits(5, run, fewest=3) == ("done", 3)
    with pytest.raises(OutOfMemory):
        halve_until_it_fits(13, lambda part: run(part + 4))
