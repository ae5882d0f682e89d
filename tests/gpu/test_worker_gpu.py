"""Two workers that share one GPU."""

import os
import subprocess
import sys

import pytest
import yaml

from search.database import open_store
from search.processes.gpus import gpus
from search.settings import Settings
from storage.postgres import server

pytestmark = [pytest.mark.gpu, pytest.mark.slow]


@pytest.fixture
def home(tmp_path):
    yield tmp_path / "home"
    server.remove(tmp_path / "home")


def test_two_workers_on_one_gpu_end_well_and_their_best_retrains_to_the_last_bit(home):
    run = ("run", "--study", "digits", "--workers", "2", "--trials", "4", "--no-dashboard")
    assert search(home, *run, "--set", "epochs=3") == 0

    with open_store(Settings(home=home)) as store:
        trials, workers = store.trials("digits"), store.workers("digits")
    assert [trial.state in ("COMPLETE", "PRUNED") for trial in trials] == [True] * 4
    assert {worker.device for worker in workers} == {"cuda"}
    assert {worker.machine["gpu"] for worker in workers} == {first_gpu().label}

    assert search(home, "export", "--study", "digits", "--out", "best.yaml") == 0
    exported = yaml.safe_load((home.parent / "best.yaml").read_text())
    assert exported["trained_on"]["device_class"].startswith("cuda: ")
    assert search(home, "retrain", "best.yaml", "--verify") == 0


def first_gpu():
    return gpus(os.environ.get("CUDA_VISIBLE_DEVICES"))[0]


def search(home, *words):
    """Type a command beside the home, seeing one GPU, and give its exit code."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SEARCH_")}
    place = {"SEARCH_HOME": str(home), "CUDA_VISIBLE_DEVICES": first_gpu().visible}
    command = [sys.executable, "-P", "-m", "search.cli", *words]
    return subprocess.run(command, cwd=home.parent, env=kept | place, timeout=240).returncode
