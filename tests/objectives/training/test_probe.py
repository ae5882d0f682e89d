"""Tests of what a step is measured to cost, where there is not enough to take one."""

import json
import subprocess
import sys

import pytest

# What the process may still take is less than the second network's weights; the limit is the
# kernel's.
MEASURE = """
import resource, sys
from objectives import image_classifier  # now, while there is memory for it
from objectives.training.probe import main
taken = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
limit = taken + 64 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
networks = ["small_cnn", "resnet50"]
configs = [{"backbone": each, "image_size": 32, "batch_size": 2} for each in networks]
asked = {"objective": "image_classifier", "configs": configs, "classes": 3}
sys.exit(main({**asked, "device": "cpu", "share": 1.0}))
"""


@pytest.mark.slow
def test_a_network_that_the_host_has_no_memory_for_is_one_that_does_not_fit() -> None:
    command = [sys.executable, "-P", "-c", MEASURE]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    small, large = map(json.loads, done.stdout.splitlines())
    assert small["part"] == 2
    assert large["part"] == 0
