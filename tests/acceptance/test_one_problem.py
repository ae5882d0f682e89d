"""One problem, the scanned digits, trained by every kind of code: ours, a function, five scripts.

Each is killed, interrupted and begun again, and gives as many whole trials as it was asked for. The
good values come first, so that the bad ones after them are stopped.
"""

import importlib.util
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.datasets import load_digits

from objectives.files.whole import write_text_whole
from search.database import open_store
from storage.store import Store
from tests.acceptance.conftest import Place
from tests.acceptance.own_code import kill, scripts_of, wait_for_epochs, workers_of

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

TRIALS, EPOCHS = 8, 6
STUDY = f"""
from spaces.data import Digits
from spaces.params import Float
from spaces.script import Lines, Script
from spaces.study import Study

study = Study(
    name="KIND", objective=OBJECTIVE, metric="METRIC", direction="minimize", trials={TRIALS},
    fixed={{"epochs": {EPOCHS}, MORE}}, space=[Float("learning_rate", 1e-5, 1.0, log=True)],
    enqueue=[{{"learning_rate": each}} for each in (0.5, 0.3, 0.2, 2e-5, 3e-5, 4e-5, 5e-5)],
)
"""
# A softmax regression; each part trains one epoch of it or all.
MODEL = """
import time
import numpy as np

digits = np.load("DIGITS")
x, y, val_x, val_y = (digits[name] for name in ("x", "y", "val_x", "val_y"))


def train_epoch(weights, learning_rate, seed):
    for rows in np.array_split(np.random.default_rng(seed).permutation(len(x)), 20):
        time.sleep(0.01)
        shares = softmax(x[rows] @ weights)
        shares[np.arange(len(rows)), y[rows]] -= 1
        weights = weights - learning_rate * x[rows].T @ shares / len(rows)
    shares = softmax(val_x @ weights)
    return weights, float(-np.log(shares[np.arange(len(val_y)), val_y] + 1e-12).mean())


def softmax(scores):
    shares = np.exp(scores - scores.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)


def load(folder):
    if not folder or not (folder / "state.npz").exists():
        return 0, np.zeros((64, 10))
    state = np.load(folder / "state.npz")
    return int(state["epoch"]), state["weights"]


def save(folder, epoch, weights):
    np.savez(folder / "new.npz", epoch=epoch, weights=weights)
    (folder / "new.npz").replace(folder / "state.npz")
"""
FUNCTION = """
from model import load, save, train_epoch
from objectives.contract import EpochResult


def train(config, attempt):
    last, weights = load(attempt.resume_from)
    for epoch in range(last + 1, config["epochs"] + 1):
        weights, loss = train_epoch(weights, config["learning_rate"], attempt.seed + epoch)
        attempt.progress()
        save(attempt.folder, epoch, weights)
        yield EpochResult(epoch=epoch, metrics={"val_loss": loss})
"""
SCRIPT = """
from model import load, save, train_epoch
from search.script import trial

last, weights = load(trial.resume_from)
for epoch in range(last + 1, trial.config["epochs"] + 1):
    weights, loss = train_epoch(weights, trial.config["learning_rate"], trial.seed + epoch)
    save(trial.folder, epoch, weights)
    trial.report(epoch, val_loss=loss)
"""
UNTOUCHED = """
import sys
from model import load, train_epoch

_, weights = load(None)
for epoch in range(1, int(sys.argv[2]) + 1):
    weights, loss = train_epoch(weights, float(sys.argv[1]), epoch)
    print(f"epoch {epoch}: train 0.1, val_loss {loss:.6f}")
"""
ONE_EPOCH = """
import sys
from pathlib import Path
from model import load, save, train_epoch

folder = Path(sys.argv[1])
last, weights = load(folder)
weights, loss = train_epoch(weights, float(sys.argv[2]), last)
save(folder, last + 1, weights)
print(f'{{"epoch": {last + 1}, "val_loss": {loss}}}')
"""
BASH = """
if [ -n "$3" ]; then cp "$3/state.npz" "$2/" 2>/dev/null || true; fi
while :; do
    line=$(python one_epoch.py "$2" "$1")
    echo "$line" >> "$SEARCH_REPORT"
    case "$line" in *'"epoch": EPOCHS,'*) exit 0 ;; esac
done
""".replace("EPOCHS", str(EPOCHS))
TORCH = """
import torch
from torch import nn
from model import x, y, val_x, val_y

def parts(images, labels):
    return [(torch.tensor(image).float(), int(label)) for image, label in zip(images, labels)]
"""
LIGHTNING = (
    TORCH
    + """
from lightning.pytorch import LightningModule, Trainer, seed_everything
from search.callbacks.lightning import ReportEpochs
from search.script import trial
from torch.utils.data import DataLoader


class Model(LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(64, 10)

    def training_step(self, batch, _):
        return nn.functional.cross_entropy(self.layer(batch[0]), batch[1])

    def validation_step(self, batch, _):
        loss = nn.functional.cross_entropy(self.layer(batch[0]), batch[1])
        self.log("val_loss", loss)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=trial.config["learning_rate"])


seed_everything(trial.seed)
reports = ReportEpochs()
trainer = Trainer(
    max_epochs=trial.config["epochs"], callbacks=[reports], default_root_dir=trial.folder,
    logger=False, enable_progress_bar=False, accelerator="cpu",
)
loaders = DataLoader(parts(x, y), 64, shuffle=True), DataLoader(parts(val_x, val_y), 256)
trainer.fit(Model(), *loaders, ckpt_path=reports.resume_from)
"""
)
TRANSFORMERS = (
    TORCH
    + """
from search.callbacks.transformers import ReportEpochs
from search.script import trial
from transformers import Trainer, TrainingArguments


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(64, 10)

    def forward(self, images, labels):
        scores = self.layer(images)
        return {"loss": nn.functional.cross_entropy(scores, labels), "logits": scores}


def rows(images, labels):
    return [{"images": image, "labels": label} for image, label in parts(images, labels)]


reports = ReportEpochs()
times = dict.fromkeys(("logging_strategy", "eval_strategy", "save_strategy"), "epoch")
arguments = TrainingArguments(
    trial.folder, seed=trial.seed, num_train_epochs=trial.config["epochs"], save_total_limit=2,
    learning_rate=trial.config["learning_rate"], per_device_train_batch_size=64, use_cpu=True,
    disable_tqdm=True, report_to=[], **times,
)
data = {"train_dataset": rows(x, y), "eval_dataset": rows(val_x, val_y)}
Trainer(Model(), arguments, callbacks=[reports], **data).train(
    resume_from_checkpoint=reports.resume_from
)
"""
)


@dataclass(frozen=True)
class Kind:
    """Code of one kind: its objective in the study file, its files, and what must be installed."""

    objective: str
    files: dict[str, str]
    needs: str = "numpy"
    metric: str = "val_loss"
    more: str = ""


KINDS = {
    "ours": Kind(
        '"image_classifier", data=Digits()',
        {},
        more='"backbone": "small_cnn", "weights": "none", "image_size": 16, "batch_size": 256',
    ),
    "function": Kind('"train.py:train"', {"train.py": FUNCTION}),
    "script": Kind('Script("python train.py")', {"train.py": SCRIPT}),
    "untouched": Kind(
        r'Script("python train.py {learning_rate} {epochs}",'
        r' results=Lines(r"epoch (\d+).*val_loss ([\d.]+)"))',
        {"train.py": UNTOUCHED},
    ),
    "bash": Kind(
        "Script(['bash', 'train.sh', '{learning_rate}', '{folder}', '{resume_from}'])",
        {"train.sh": BASH, "one_epoch.py": ONE_EPOCH},
    ),
    "lightning": Kind('Script("python train.py")', {"train.py": LIGHTNING}, "lightning"),
    "transformers": Kind(
        'Script("python train.py")', {"train.py": TRANSFORMERS}, "transformers", "eval_loss"
    ),
}
SHORT = ("function", "script", "bash")


@pytest.fixture
def place(make_place: Callable[[], Place]) -> Place:
    """A place with the digits and the model."""
    place = make_place()
    images, labels = load_digits(return_X_y=True)
    split = {"x": images[:1200] / 16, "y": labels[:1200]}
    split |= {"val_x": images[1200:] / 16, "val_y": labels[1200:]}
    np.savez(place.folder / "digits.npz", **split)
    model = MODEL.replace("DIGITS", str(place.folder / "digits.npz"))
    write_text_whole(place.folder / "model.py", model)
    return place


def named(kinds: Sequence[str]) -> list[object]:
    """Mark the kinds that are run in the long form alone."""
    return [
        pytest.param(kind, marks=() if kind in SHORT else pytest.mark.full, id=kind)
        for kind in kinds
    ]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", named([*KINDS]))
def test_every_kind_of_code_is_killed_and_interrupted_without_loss(kind: str, place: Place) -> None:
    code = KINDS[kind]
    if importlib.util.find_spec(code.needs) is None:
        pytest.skip(f"needs {code.needs}")
    for name, text in code.files.items():
        write_text_whole(place.folder / name, text)
    words = {"KIND": kind, "OBJECTIVE": code.objective, "METRIC": code.metric, "MORE": code.more}
    text = re.sub("|".join(words), lambda match: words[match[0]], STUDY)
    write_text_whole(place.folder / "study.py", text)

    run = start(place)
    with open_store(place.settings) as store:
        wait_for_epochs(store, kind, 2)
        kill(lambda: workers_of(run.pid))
        if "Script" in code.objective:
            wait_for_epochs(store, kind, 4)
            kill(lambda: scripts_of(place))
        wait_for_epochs(store, kind, 7)
        run.terminate()
        assert run.wait(120) == 75
        assert scripts_of(place) == []

        assert start(place).wait(600) == 0

        check(store, kind)
    assert scripts_of(place) == []


def check(store: Store, kind: str) -> None:
    """Check that all trials have ended, each curve is whole, and some were pruned."""
    trials = store.trials(kind)
    assert len(trials) == TRIALS
    assert {trial.outcome for trial in trials} == {"finished", "pruned"}
    for trial in trials:
        epochs = [row.epoch for row in store.epochs(kind, trial.number)]
        last = EPOCHS if trial.outcome == "finished" else max(epochs)
        assert epochs == [*range(1, last + 1)]
    ended = [row for row in store.attempts(kind) if row.reason in ("finished", "pruned")]
    assert len(ended) == TRIALS


def start(place: Place) -> subprocess.Popen[bytes]:
    """Start the study with two workers, or go on with it."""
    return place.start("run", "--study", "study.py", "--workers", "2", "--no-dashboard")
