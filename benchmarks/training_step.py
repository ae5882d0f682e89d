"""Our training loop against a bare one: the same network, batches, precision and optimizer.

`python -m benchmarks.training_step [--device cuda] [--pairs 9] [--json]`, from the checkout.

Ours is `objectives.image_classifier.train`, run like in a trial and timed by its own `data_wait_s`
and `compute_s`. They include shuffling, copying, augmentation, schedule and progress, but neither
validation nor checkpoints. The batches of the bare loop are normalised floats that lie on the
device before it starts: it shuffles, augments and converts nothing. A turn is one epoch.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from benchmarks.pairs import Timed, compare, report
from objectives.augment.images import normalize
from objectives.contract import Attempt, DataSource
from objectives.image_classifier import train
from objectives.models.classifier import build_classifier
from objectives.recipe.image import ImageRecipe
from objectives.recipe.optimization import steps_per_epoch
from objectives.sets.images import ImageSet
from objectives.sets.opened import open_images
from objectives.training import precision

TARGET = 0.98
THREADS = 1
NOISE_CLASSES, NOISE_TRAIN, NOISE_VAL = 10, 5120, 250  # 20 steps of 256 an epoch
NOTES = "ratio: bare seconds / ours; low, high: 95 % interval; no augmentation in the bare loop"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A network and its data."""

    backbone: str
    data: str = "digits"
    image_size: int = 32
    batch_size: int = 32
    augmentation: str = "none"  # of our loop; the bare one has none
    deterministic: bool = True  # our loop; the bare one is not on a GPU

    @property
    def config(self) -> Mapping[str, Any]:
        """The fields of ImageRecipe that this case sets."""
        return {name: value for name, value in vars(self).items() if name != "data"}


NOISE: Any = {"data": "noise", "image_size": 224, "batch_size": 256}
CASES = {
    "cpu": [
        Case(backbone="small_cnn"),
        Case(backbone="small_cnn", augmentation="shift"),
        Case(backbone="resnet18"),
        Case(backbone="resnet18", augmentation="shift"),
    ],
    "cuda": [
        Case(backbone="resnet18", deterministic=False),
        Case(backbone="resnet18", augmentation="shift"),
        Case(backbone="resnet50", **NOISE, deterministic=False),
        Case(backbone="resnet50", **NOISE, augmentation="light", deterministic=False),
        Case(backbone="resnet50", **NOISE, augmentation="light"),
    ],
}


def main() -> None:
    """Compare every case of the device and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=CASES, help="one of them; else all that are here")
    parser.add_argument("--pairs", type=int, default=9, help="turns of each, after one uncounted")
    parser.add_argument("--json", action="store_true", help="only the lines of JSON")
    chosen = parser.parse_args()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # like in every worker
    here = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    for device in [chosen.device] if chosen.device else here:
        with tempfile.TemporaryDirectory() as folder:
            rows = (measure(case, device, Path(folder), chosen.pairs) for case in CASES[device])
            report("training_step", rows, device, notes=NOTES, as_json=chosen.json)


def measure(case: Case, device: str, folder: Path, pairs: int) -> dict[str, Any]:
    """Measure one row: the case, images per second of both loops, their ratio, the verdict."""
    source = DataSource(layout={"kind": "digits"})
    if case.data == "noise":
        source = DataSource(
            layout={"kind": "class_folders"}, folder=noise_images(folder / "noise", case)
        )
    attempt = Attempt(
        folder=Path(tempfile.mkdtemp(dir=folder)),
        data=source,
        seed=1,
        device=device,
        threads=THREADS,
    )
    images = open_images(attempt, case.image_size)["train"]
    seen = compare(our_turn(case, attempt, pairs), bare_turn(case, images, device), pairs)
    return {
        "case": f"{case.backbone}, {case.data} {case.image_size} px, batch {case.batch_size}",
        "precision": "bfloat16" if device == "cuda" else "float32",
        "augmentation": case.augmentation,
        "deterministic": case.deterministic,
        "ours_img_s": round(len(images) / seen.ours_seconds),
        "bare_img_s": round(len(images) / seen.bare_seconds),
        "ratio": round(seen.ratio, 3),
        "low": round(seen.low, 3),
        "high": round(seen.high, 3),
        "pairs": pairs,
        "verdict": seen.verdict(TARGET),
    }


def our_turn(case: Case, attempt: Attempt, pairs: int) -> Timed:
    """Return the turn that trains our next epoch."""
    results = train({**case.config, "epochs": pairs + 1}, attempt)

    def turn() -> float:
        precision.settle(THREADS, deterministic=case.deterministic)  # the bare loop's turn undid it
        metrics = next(results).metrics
        return metrics["data_wait_s"] + metrics["compute_s"]

    return turn


def bare_turn(case: Case, images: ImageSet, device: str) -> Timed:
    """Return the turn that trains an epoch of a hand-written loop, on batches ready to use."""
    recipe = ImageRecipe.from_config(case.config)
    model = build_classifier(recipe, len(images.classes)).to(device)
    model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, fused=True)
    steps = steps_per_epoch(len(images), case.batch_size)
    batches = [
        (normalize(pixels.to(device), model.normalization), labels.to(device))
        for pixels, labels in zip(
            images.images.tensor_split(steps), images.labels.tensor_split(steps), strict=True
        )
    ]

    def turn() -> float:
        precision.settle(THREADS, deterministic=device == "cpu")  # on a CPU it costs nothing
        model.train()
        started = time.perf_counter()
        for pixels, labels in batches:
            with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
                logits = model(pixels)
            loss = F.cross_entropy(logits, labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        loss.item()  # waits for the device
        return time.perf_counter() - started

    return turn


def noise_images(folder: Path, case: Case) -> Path:
    """Write class folders of random pixels, whose content does not change the speed."""
    if folder.exists():
        return folder
    random, shape = np.random.default_rng(0), (case.image_size, case.image_size, 3)
    for split, count in (("train", NOISE_TRAIN), ("val", NOISE_VAL)):
        for number in range(count):
            path = folder / split / str(number % NOISE_CLASSES) / f"{split}-{number}.bmp"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 256, shape, dtype=np.uint8)).save(path)
    return folder


if __name__ == "__main__":
    main()
