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
from contextlib import nullcontext
import torch
from objectives.contract import OutOfMemory
from objectives.sets.batch import Batch
from objectives.models.classifier import build_classifier
from objectives.recipe.image import ImageRecipe
from objectives.training.learning.losses import build_criterion
from objectives.training.step import build_stepper

def trained(parts, room_mb=0):
    # Train steps in such parts at most, in a process that may take so much more; 0 is any.
    # A fork, because importing torch again takes seconds, and oneDNN keeps what it once refused.
    read, write = os.pipe()
    if os.fork() == 0:
        os.write(write, json.dumps(steps(parts, room_mb)).encode())
        os._exit(0)
    os.close(write)
    return json.load(open(read))

def steps(parts, room_mb):
    torch.set_num_threads(1)
    recipe = ImageRecipe(backbone="small_cnn", batch_size=64, dropout=0.5)
    torch.manual_seed(1)
    model = build_classifier(recipe, classes=3)
    stepper = build_stepper(recipe, model, nullcontext())
    criterion = build_criterion(recipe, torch.tensor([30, 20, 14]), epoch=1)
    batch = Batch(torch.randn(64, 3, 128, 128), torch.arange(64) % 3)
    model.train()
    if room_mb:
        taken = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        limit = taken + room_mb * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
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

short = trained((64, 64), room_mb=300)
none = trained((64, 64), room_mb=1)
print(json.dumps({"none": none, "short": short, "asked": trained(short["parts"])}))
"""


@pytest.fixture(scope="module")
def trained() -> dict[str, dict[str, Any]]:
    """The steps of processes that are short of memory, and of one that is asked for such parts."""
    command = [sys.executable, "-P", "-c", TRAIN]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    results: dict[str, dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return results


@pytest.mark.slow
def test_a_batch_that_does_not_fit_is_passed_in_parts_as_if_it_had_been_from_the_start(
    trained: dict[str, dict[str, Any]],
) -> None:
    assert 1 < trained["short"]["parts"][0] < 64
    # Not one number tells that a whole batch was tried first: dropout and BatchNorm went back.
    assert trained["short"] == trained["asked"]


@pytest.mark.slow
def test_where_not_one_image_fits_the_trial_ends_as_out_of_memory(
    trained: dict[str, dict[str, Any]],
) -> None:
    assert "not even one image at a time fits" in trained["none"]["error"]


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
