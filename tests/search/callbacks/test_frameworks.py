"""The examples of docs/own-code.md under Lightning and Hugging Face, run as they stand there."""

import re
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from objectives.contract import Attempt, DataSource
from tests.objectives.script.conftest import Place, processes_of

PAGE = Path(__file__).parents[3] / "docs" / "own-code.md"
SECTION = PAGE.read_text().partition("### Lightning and Hugging Face")[2].partition("\n### ")[0]
LIGHTNING, TRANSFORMERS = re.findall(r"^```python\n(.*?)^```", SECTION, re.MULTILINE | re.DOTALL)
DATA = """
from importlib.metadata import distribution  # importing load_digits takes 1.5 s

import numpy, torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
digits = distribution("scikit-learn").locate_file("sklearn/datasets/data/digits.csv.gz")
table = torch.from_numpy(numpy.loadtxt(str(digits), delimiter=","))
images, labels = table[:, :64].float() / 16, table[:, 64].long()
mlp = nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))
"""
FOR_LIGHTNING = f"""{DATA}
import lightning.pytorch

class Model(lightning.pytorch.LightningModule):
    def __init__(self, learning_rate):
        super().__init__()
        self.learning_rate, self.mlp = learning_rate, mlp

    def loss(self, batch):
        return nn.functional.cross_entropy(self.mlp(batch[0]), batch[1])

    def training_step(self, batch, _):
        loss = self.loss(batch)
        self.log("loss", loss, on_epoch=True)
        return loss

    def validation_step(self, batch, _):
        self.log("val_loss", self.loss(batch))

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=self.learning_rate)

training = DataLoader(TensorDataset(images[:1500], labels[:1500]), 64)
validation = DataLoader(TensorDataset(images[1500:], labels[1500:]), 64)
"""
FOR_TRANSFORMERS = f"""{DATA}
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.mlp = mlp

    def forward(self, x, labels):
        scores = self.mlp(x)
        return {{"loss": nn.functional.cross_entropy(scores, labels), "logits": scores}}

rows = [{{"x": image, "labels": label}} for image, label in zip(images, labels)]
training, validation = rows[:1500], rows[1500:]
"""
# Lightning as people write it who know nothing of search.
UNTOUCHED = """
import sys
from lightning.pytorch import Trainer
from lightning.pytorch.loggers import CSVLogger
from mine import Model, training, validation

logger = CSVLogger(".", name="lightning_logs")
trainer = Trainer(max_epochs=2, logger=logger, accelerator="cpu", enable_progress_bar=False)
trainer.fit(Model(float(sys.argv[1])), training, validation)
"""
BEHIND = '\n(trial.folder / "behind").touch()\n'  # the training ended without an exception
CONFIG = {"epochs": 3, "learning_rate": 0.003}


def place_in(tmp_path: Path, name: str = "first", resume_from: Path | None = None) -> Place:
    """Return a place for an attempt."""
    folder = tmp_path / name
    folder.mkdir()
    data = DataSource(layout={})
    return Place(tmp_path, Attempt(folder=folder, data=data, seed=7, resume_from=resume_from))


def stop_after(count: int, place: Place) -> list[dict[str, float]]:
    """Follow train.py for some results, and end it."""
    with closing(place.results("python", "train.py", config=CONFIG)) as results:
        found = [dict(result.metrics) for result in islice(results, count)]
    assert (place.attempt.folder / "behind").exists(), place.output
    assert processes_of(place.folder) == []
    return found


@pytest.mark.slow
def test_a_lightning_script_goes_on_from_the_newest_whole_checkpoint(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    place.write("mine.py", FOR_LIGHTNING)
    place.write("train.py", LIGHTNING + BEHIND)

    before = stop_after(2, place)
    newest = place.attempt.folder / "reported-2.ckpt"
    newest.write_bytes(newest.read_bytes()[:-100])
    again = place_in(tmp_path, "second", resume_from=place.attempt.folder)
    values = again.values("python", "train.py", config=CONFIG)

    assert [epoch for epoch, _ in values] == [1, 2, 3]
    assert set(before[0]) == {"loss", "loss_step", "loss_epoch", "val_loss"}
    assert values[0][1] == before[0]
    assert values[1][1] == pytest.approx(before[1])
    assert values[2][1]["val_loss"] < before[1]["val_loss"] < before[0]["val_loss"]
    kept = sorted(each.name for each in again.attempt.folder.glob("*.ckpt"))
    assert kept == ["reported-2.ckpt", "reported-3.ckpt"]


@pytest.mark.slow
def test_a_trainer_of_hugging_face_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    place.write("mine.py", FOR_TRANSFORMERS)
    place.write("train.py", TRANSFORMERS + BEHIND)

    before = stop_after(2, place)
    at_once = place_in(tmp_path, "second", resume_from=place.attempt.folder)
    assert stop_after(1, at_once) == before[1:]  # what was saved is reported again
    assert len(list(at_once.attempt.folder.glob("checkpoint-*"))) == 1  # none amid an epoch
    again = place_in(tmp_path, "third", resume_from=at_once.attempt.folder)
    values = again.values("python", "train.py", config=CONFIG)

    assert [epoch for epoch, _ in values] == [2, 3]
    assert values[0][1] == before[1]
    assert {"loss", "eval_loss", "learning_rate", "grad_norm"} <= set(before[0])
    assert not {"epoch", "step"} & set(before[0])
    losses = [each["eval_loss"] for each in (*before, values[1][1])]
    assert losses == sorted(losses, reverse=True)


@pytest.mark.slow
def test_a_lightning_script_that_nobody_touched_is_read_from_its_table(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    place.write("mine.py", FOR_LIGHTNING)
    table = {
        "kind": "table",
        "path": "lightning_logs/*/metrics.csv",
        "columns": {"val_loss": "val_loss", "loss": "loss_epoch"},
        "epoch": "epoch",
        "counts_from": 0,
    }
    script = str(place.write("train.py", UNTOUCHED))

    values = place.values("python", script, "0.003", results=table, runs_in="trial")

    assert [epoch for epoch, _ in values] == [1, 2]
    assert all(set(each) == {"val_loss", "loss"} for _, each in values)
    assert values[1][1]["val_loss"] < values[0][1]["val_loss"]
