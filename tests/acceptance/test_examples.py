"""The studies in `examples/`, run as their readers run them."""

import subprocess
import sys
from pathlib import Path
from shutil import copytree

import pytest

from search.database import open_store
from tests.acceptance.conftest import Place

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_segmentation_runs_and_has_few_lines(light_place: Place) -> None:
    folder = copytree(EXAMPLES / "segmentation", light_place.folder, dirs_exist_ok=True)
    code = [(folder / name).read_text().splitlines() for name in ("segment.py", "train.py")]
    subprocess.run([sys.executable, "draw.py", "lesions", "9"], cwd=folder, check=True)

    words = ("--data", "lesions", "--trials", "1", "--set", "epochs=2", "--workers", "1")
    done = light_place.search_here("run", "--study", "segment.py", "--no-dashboard", *words)

    assert done == 0
    with open_store(light_place.settings) as store:
        (trial,) = store.trials("segment")
        assert trial.outcome == "finished"
        epochs = store.epochs("segment", trial.number)
        assert [row.epoch for row in epochs] == [1, 2]
        assert all(0 < row.value <= 1 for row in epochs)
        assert "mask sha1" in (store.manifest("segment") or "").partition("\n")[0]
    assert sum(1 for lines in code for line in lines if line) < 80

    next((folder / "lesions" / "masks").iterdir()).write_bytes(b"another")
    assert light_place.search_here("check", "--study", "segment.py", "--no-throughput") == 4
