"""The readings of a real GPU are those of the one that this process trains on."""

import json
import os
import subprocess
import sys

import pytest

from search.processes.gpus import gpus

pytestmark = pytest.mark.gpu

READ = """
import json, torch
from search.processes import driver
from search.processes.gauges import Gauges
held = torch.zeros(2**28, dtype=torch.uint8, device="cuda")
gpu = torch.cuda.get_device_properties(0)
known = {"name": gpu.name, "total": gpu.total_memory, "uuid": str(gpu.uuid)}
print(json.dumps([Gauges("cuda").read(), known, driver.first_gpu_uuid()]))
"""


@pytest.mark.parametrize("which", [0, -1], ids=["first", "last"])
def test_the_readings_are_those_of_the_gpu_that_the_process_sees(which: int) -> None:
    visible = gpus(os.environ.get("CUDA_VISIBLE_DEVICES"))[which].visible
    said = subprocess.run(
        [sys.executable, "-P", "-c", READ],
        env=os.environ | {"CUDA_VISIBLE_DEVICES": visible},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    readings, known, uuid = json.loads(said.stdout)
    assert uuid == known["uuid"]
    assert readings["gpu_name"] == known["name"]
    assert 2**28 <= readings["gpu_used_bytes"] <= readings["gpu_total_bytes"]
    assert readings["gpu_total_bytes"] >= 0.9 * known["total"]
    assert 0 <= readings["gpu_percent"] <= 100
    assert 10 < readings["gpu_celsius"] < 110
    assert readings["gpu_watts"] > 0
