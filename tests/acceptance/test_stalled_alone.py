"""A worker that no supervisor watches, and whose trial hangs."""

import pytest

from search.database import open_store

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

CODE = """
import time
from pathlib import Path

from objectives.contract import EpochResult


def train(config, attempt):
    attempt.progress()
    yield EpochResult(epoch=1, metrics={"val_loss": 1.0})
    hung = Path(__file__).with_name("hung")
    if not hung.exists():
        hung.touch()
        time.sleep(3600)
"""
STUDY = """
from spaces.params import Float
from spaces.study import Study

study = Study(
    name="hanging", objective="hang.py:train", metric="val_loss", direction="minimize", trials=1,
    stall_minutes=0.02, space=[Float("learning_rate", 1e-4, 1.0, log=True)],
)
"""


def test_a_worker_without_a_supervisor_ends_itself_when_its_trial_hangs(light_place):
    (light_place.folder / "hang.py").write_text(CODE)
    (light_place.folder / "hanging.py").write_text(STUDY)
    environment = {"SEARCH_LEASE_SECONDS": "1"}
    assert light_place.search_here("run", "--study", "hanging.py", "--workers", "0") == 0

    ends = [
        light_place.search("worker", "--study", "hanging", environment=environment) for _ in "12"
    ]

    assert ends == [75, 0]
    with open_store(light_place.settings) as store:
        assert [each.reason for each in store.attempts("hanging")] == ["stalled", "finished"]
        assert [row.exit_code for row in store.workers("hanging")] == ends
