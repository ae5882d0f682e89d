"""A script whose GPU falls off the bus: its trial goes on, on the GPU that is left."""

import socket
from pathlib import Path

import pytest

from search.database import open_store
from tests.acceptance.conftest import Place
from tests.madeup.gpus import MadeUp, MadeUpGpus, uuid

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

STUDY = """
from spaces.params import Float
from spaces.script import Script
from spaces.study import Pruning, Study

study = Study(
    name="scripted", objective=Script("python train.py --lr {learning_rate}"), metric="loss",
    direction="minimize", trials=3, pruning=Pruning("none"),
    space=[Float("learning_rate", 1e-4, 1.0, log=True)],
)
"""
TRAIN = f"""
import json, os, sys, time
from pathlib import Path

for epoch in range(1, 4):
    if os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-{uuid(1)}":
        Path(os.environ["BROKEN_GPUS"]).replace(os.environ["MADE_UP_GPUS"])
        sys.exit("RuntimeError: CUDA error: unspecified launch failure")
    time.sleep(0.5)
    with open(os.environ["SEARCH_REPORT"], "a") as report:
        print(json.dumps({{"epoch": epoch, "loss": 1 / epoch}}), file=report)
"""


def test_the_trial_of_a_script_on_a_lost_gpu_goes_on_and_the_run_without_that_gpu(
    light_place: Place, made_up_gpus: MadeUpGpus, capfd: pytest.CaptureFixture[str]
) -> None:
    (light_place.folder / "scripted.py").write_text(STUDY)
    (light_place.folder / "train.py").write_text(TRAIN)
    environment = broken_after(made_up_gpus, light_place.folder)

    run = ("run", "--study", "scripted.py", "--no-dashboard")
    assert light_place.search(*run, environment=environment) == 0

    with open_store(light_place.settings) as store:
        assert [trial.state for trial in store.trials("scripted")] == ["COMPLETE"] * 3
        reasons = sorted(str(each.reason) for each in store.attempts("scripted"))
        assert reasons == ["device lost", "finished", "finished", "finished"]
        gpus = {row.machine["gpu"]: row.exit_code for row in store.workers("scripted")}
        assert gpus == {"0": 76, "1": 0}
    capfd.readouterr()
    assert light_place.search_here("status", "--study", "scripted") == 0
    assert f"GPU 0 of {socket.gethostname()} is lost: CUDA sees no device" in capfd.readouterr().out
    gone = environment | {"CUDA_VISIBLE_DEVICES": f"GPU-{uuid(1)}"}
    assert light_place.search("worker", "--study", "scripted", environment=gone) == 76
    assert "CUDA sees no GPU there: it is lost, or the name is wrong" in capfd.readouterr().err


def broken_after(made_up_gpus: MadeUpGpus, folder: Path) -> dict[str, str]:
    """Put two GPUs in, and the file beside that has lost the first."""
    made_up_gpus.put(MadeUp(uuid(1), "lost"), MadeUp(uuid(2)))
    environment = made_up_gpus.environment()
    Path(environment["MADE_UP_GPUS"]).rename(folder / "broken")
    made_up_gpus.put(MadeUp(uuid(1)), MadeUp(uuid(2)))
    kept = {name: environment[name] for name in ("LD_LIBRARY_PATH", "MADE_UP_GPUS")}
    return kept | {"BROKEN_GPUS": str(folder / "broken")}
