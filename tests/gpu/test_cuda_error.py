"""A real CUDA error is classified, in a separate process, which it makes unusable."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.gpu

BREAK_CUDA = """
import torch
from search.worker.endings import failure

try:
    torch.zeros(3, device="cuda")[torch.tensor([10**6], device="cuda")].sum().item()
except Exception as error:
    print(failure(error).reason)
"""


def test_an_index_outside_of_a_tensor_hands_the_trial_to_another_process() -> None:
    command = [sys.executable, "-P", "-c", BREAK_CUDA]
    said = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    assert said.stdout.strip() == "cuda_error"
