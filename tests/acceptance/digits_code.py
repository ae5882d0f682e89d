"""Training code for the scanned digits, of every kind, for the test beside this file."""

# A softmax regression; each part trains one epoch of it or all.
MODEL = """
import time
import numpy as np

digits = np.load("DIGITS")
x, y, val_x, val_y = (digits[name] for name in ("x", "y", "val_x", "val_y"))


def train_epoch(weights, learning_rate, seed):
    for rows in np.array_split(np.random.default_rng(seed).permutation(len(x)), 20):
        time.sleep(0.02)
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
"""
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
