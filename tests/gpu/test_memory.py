"""A GPU that is short of memory, in separate processes that may take only a share of it."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from objectives.probes.cost import Inputs, SharedDevice, measure_costs
from search.processes.ask_device import ask_device
from search.processes.devices import own_share, worker_environment
from search.processes.gpus import gpus

pytestmark = [pytest.mark.gpu, pytest.mark.slow]

# Two epochs of the digits, seen at 224 px, on a card of which the process may have so much.
TRAIN = """
import json, sys, tempfile
from pathlib import Path
import torch
from objectives.contract import Attempt, DataSource
from objectives.image_classifier import train

megabytes = int(sys.argv[1])
whole = torch.cuda.get_device_properties(0).total_memory
torch.cuda.set_per_process_memory_fraction(megabytes * 2**20 / whole)
config = {
    "backbone": "resnet50", "image_size": 224, "batch_size": 64, "epochs": 2,
    "augmentation": "shift", "max_train_samples": 256, "max_val_samples": 64,
}
try:
    with tempfile.TemporaryDirectory() as folder:
        digits = DataSource(layout={"kind": "digits"})
        attempt = Attempt(folder=Path(folder), data=digits, seed=1, device="cuda")
        results = [dict(each.metrics) for each in train(config, attempt)]
    print(json.dumps({"parts": [each["micro_batch"] for each in results]}))
except Exception as error:
    print(json.dumps({"error": type(error).__name__}))
"""


def trained(megabytes: int) -> dict[str, Any]:
    command = [sys.executable, "-P", "-c", TRAIN, str(megabytes)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def test_a_batch_that_does_not_fit_is_passed_in_parts_and_the_trial_goes_on() -> None:
    assert trained(40_000)["parts"] == [64, 64]
    short = trained(2_500)
    assert 1 <= short["parts"][1] <= short["parts"][0] < 64


def test_where_not_one_image_fits_the_error_says_so() -> None:
    assert trained(150)["error"] in ("OutOfMemory", "OutOfMemoryError")


def test_a_plan_finds_what_does_not_fit_into_a_share_of_the_card() -> None:
    configs = [
        {"backbone": "resnet18", "image_size": 64, "batch_size": 16},
        {"backbone": "convnextv2_base", "image_size": 224, "batch_size": 16},
    ]
    environment = worker_environment(own_share(None, None), os.environ)
    shared = SharedDevice(device="cuda", memory=0.01, environment=environment)
    small, large = measure_costs(configs, Inputs("image_classifier", 10, 3), shared)
    assert small.micro_batch == 16
    assert 0 < small.memory_bytes <= small.capacity_bytes
    assert small.step_seconds > 0
    assert large.micro_batch == 0


def test_a_worker_that_shares_the_card_takes_its_share_and_no_more() -> None:
    take = """
import torch
from objectives.catalog import limit_gpu_memory
limit_gpu_memory(0.05)
whole = torch.cuda.get_device_properties(0).total_memory
torch.empty(int(0.04 * whole), dtype=torch.uint8, device="cuda")
torch.cuda.empty_cache()
try:
    torch.empty(int(0.06 * whole), dtype=torch.uint8, device="cuda")
except torch.OutOfMemoryError:
    print("refused")
"""
    said = subprocess.check_output([sys.executable, "-P", "-c", take], text=True, timeout=300)
    assert said.strip() == "refused"


def test_a_fresh_process_gets_an_answer_of_a_card_that_is_well() -> None:
    (first, *_) = gpus(os.environ.get("CUDA_VISIBLE_DEVICES"))
    answer = ask_device(first.visible)
    assert answer.trouble == ""
    assert first.visible.endswith(answer.uuid)
