"""Lightning and Hugging Face's Trainer keep the promises: killed, stopped, begun again."""

import pytest

from search.database import open_store
from tests.acceptance import test_scripts as scripts
from tests.search.callbacks import test_frameworks as examples

pytestmark = [pytest.mark.acceptance, pytest.mark.full]

STUDY = """
from spaces.params import Float
from spaces.script import Script
from spaces.study import Pruning, Study

study = Study(
    name="mine", objective=Script("python train.py"), metric="{}", direction="minimize", trials=3,
    pruning=Pruning("none"), fixed={{"epochs": 6}},
    space=[Float("learning_rate", 1e-4, 1e-2, log=True)],
)
"""
# Epochs of about a second: a kill comes in the middle.
SLOW = """
import time

class Slow(nn.Module):
    def forward(self, scores):
        time.sleep(len(scores) * 0.0005)
        return scores

mlp.append(Slow())
"""


@pytest.mark.parametrize(
    ("train", "mine", "metric"),
    [
        (examples.LIGHTNING, examples.FOR_LIGHTNING, "val_loss"),
        (examples.TRANSFORMERS, examples.FOR_TRANSFORMERS, "eval_loss"),
    ],
    ids=["lightning", "transformers"],
)
def test_a_killed_worker_a_killed_script_and_ctrl_c_lose_no_epoch_of_a_framework(
    make_place, train, mine, metric
):
    place = make_place()
    (place.folder / "mine.py").write_text(mine + SLOW)
    (place.folder / "train.py").write_text(train)
    (place.folder / "study.py").write_text(STUDY.format(metric))

    with open_store(place.settings) as store:
        run = place.start("run", "--study", "study.py", "--workers", "2", "--no-dashboard")
        scripts.kill_one_that_trains(place, store, run, "search.cli")
        scripts.kill_one_that_trains(place, store, run, "train.py")
        scripts.wait_for_an_epoch(store)
        run.terminate()
        assert run.wait(100) == 75
        assert scripts.scripts_of(place) == []
        assert place.search("run", "--study", "study.py", "--no-dashboard") == 0

        epochs = [(row.number, row.epoch) for row in store.epochs("mine")]
        assert epochs == [(number, epoch) for number in range(3) for epoch in range(1, 7)]
        assert [trial.state for trial in store.trials("mine")] == ["COMPLETE"] * 3
        assert {row.reason for row in store.attempts("mine")} >= {"killed", "drained", "finished"}
    assert scripts.scripts_of(place) == []
