"""A share of a GPU's memory, for a process that has loaded torch and for one that has not."""

import subprocess
import sys

import pytest
import torch

from objectives.catalog import limit_gpu_memory


def test_a_process_without_torch_does_not_load_it_for_its_share() -> None:
    code = "import sys; from objectives.catalog import limit_gpu_memory as limit; limit(.5)"
    loaded = f"{code}; print('torch' in sys.modules)"
    said = subprocess.check_output([sys.executable, "-P", "-c", loaded], text=True)
    assert said.strip() == "False"


@pytest.mark.parametrize(("share", "limits"), [(0.5, [0.5]), (1.0, [])])
def test_torch_is_held_to_the_share_of_a_worker_that_has_neighbours(
    monkeypatch: pytest.MonkeyPatch, share: float, limits: list[float]
) -> None:
    found: list[float] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", found.append)
    limit_gpu_memory(share)
    assert found == limits
