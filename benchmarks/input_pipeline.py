"""From files to batches: what real files cost a training, and what other loaders take for them.

`python -m benchmarks.input_pipeline [--device cuda] [--against ready pil timm] [--pairs 9]`

Ours are real files through the decoded-image cache, its pages warm, as a trial reads them.
Against ready: the same network trained on batches that lie on the device, augmented alike (those of
level none are normalised beforehand). Against pil and timm: no network, batches only, unaugmented;
pil is a torch DataLoader without workers, timm is its own loader at its fastest setting here.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from benchmarks.loaders import fastest_timm, pil_loading, used_up
from benchmarks.pairs import Comparison, Timed, compare, report
from objectives.augment.images import augment, normalize
from objectives.contract import Attempt, DataSource
from objectives.data.pixels.normalization import IMAGENET
from objectives.image_classifier import ImageTask
from objectives.models.classifier import build_classifier
from objectives.recipe.image import ImageRecipe
from objectives.sets.images import ImageSet
from objectives.sets.opened import open_images
from objectives.sets.placed import place
from objectives.training import precision
from objectives.training.feed.feed import Feed, training_feed

Batches = Iterable[tuple[Tensor, Tensor]]
TARGETS = {"ready": 0.97, "pil": 5.0, "timm": 1.0}
THREADS = 1
CLASSES = 4
NOTES = (
    "ratio: the other's seconds / ours; low, high: 95 % interval; fed from host memory or the GPU's"
)


@dataclass(frozen=True)
class Case:
    """Files of one kind and the network they are for.

    trained: images of one turn of training; 0 where another case trains on as many pixels.
    """

    suffix: str
    width: int
    height: int
    files: int
    image_size: int
    backbone: str
    batch_size: int
    trained: int

    def recipe(self, augmentation: str) -> ImageRecipe:
        """Give what is trained, without what only costs time here."""
        names = ("backbone", "image_size", "batch_size")
        chosen = {name: getattr(self, name) for name in names}
        return ImageRecipe.from_config({**chosen, "augmentation": augmentation})


# Gleason's patches and the dermatologists' photographs, in their own sizes.
CASES = {
    "cpu": [
        Case("png", 250, 250, 1500, 64, "resnet18", 32, 256),
        Case("jpg", 600, 450, 1500, 64, "resnet18", 32, 0),
    ],
    "cuda": [Case("jpg", 600, 450, 2560, 224, "resnet50", 256, 2560)],
}


def main() -> None:
    """Compare every case of the device with what was asked for and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=CASES, help="one of them; else all that are here")
    parser.add_argument("--against", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--pairs", type=int, default=9, help="turns of each, after one uncounted")
    parser.add_argument("--json", action="store_true", help="only the lines of JSON")
    chosen = parser.parse_args()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # as every worker has it
    here = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    for device in [chosen.device] if chosen.device else here:
        precision.settle(THREADS, deterministic=device == "cpu")  # on a CPU it costs nothing
        with tempfile.TemporaryDirectory() as folder:
            rows = measured(device, Path(folder), chosen.against, chosen.pairs)
            report("input_pipeline", rows, device, notes=NOTES, as_json=chosen.json)


def measured(device: str, folder: Path, against: list[str], pairs: int) -> Iterator[dict[str, Any]]:
    """Give a row for each case and each thing it is compared with."""
    for case in CASES[device]:
        files = draw_files(folder / case.suffix, case)
        source, cache = DataSource({"kind": "class_folders"}, files), folder / "cache"
        attempt = Attempt(folder, source, device=device, cache=cache)
        images = open_images(attempt, case.image_size)["train"]
        if "ready" in against and case.trained:
            yield from against_ready_batches(case, attempt, pairs)
        ours = loading(case, images, attempt)
        asked = (files / "train", case.image_size, case.batch_size, device)
        if "pil" in against:
            seen = compare(ours, pil_loading(*asked), pairs)
            yield row(case, "pil", "DataLoader, no workers", "host", seen, case.files)
        if "timm" in against:
            theirs, setting = fastest_timm(*asked)
            yield row(case, "timm", setting, "host", compare(ours, theirs, pairs), case.files)


def row(
    case: Case, against: str, how: str, fed_from: str, seen: Comparison, images: int
) -> dict[str, Any]:
    """Give one row: what was compared, images per second of both, their ratio and the verdict."""
    return {
        "files": f"{case.files} {case.suffix} {case.width}x{case.height} at {case.image_size} px",
        "batch": case.batch_size,
        "fed from": fed_from,
        "against": f"{against}: {how}",
        "ours_img_s": round(images / seen.ours_seconds),
        "other_img_s": round(images / seen.bare_seconds),
        "ratio": round(seen.ratio, 3),
        "low": round(seen.low, 3),
        "high": round(seen.high, 3),
        "verdict": seen.verdict(TARGETS[against]),
    }


def against_ready_batches(case: Case, attempt: Attempt, pairs: int) -> Iterator[dict[str, Any]]:
    """Train on files and on ready batches in turn, from each memory that images can lie in."""
    limit = {"train": case.trained}
    images = open_images(attempt, case.image_size, at_most=limit)["train"]
    fed = {"host": images}
    if attempt.device != "cpu":
        fed[attempt.device] = place(images, attempt.device)
    epoch = trainer(case, attempt.device)
    for level in ("none", "shift", "light"):
        ready = ready_training(epoch, case, images, level, attempt.device)
        for fed_from, given in fed.items():
            seen = compare(training(epoch, case, given, attempt, level), ready, pairs)
            how = f"{case.backbone}, augmentation {level}"
            yield row(case, "ready", how, fed_from, seen, len(images))


def trainer(case: Case, device: str) -> Callable[[Batches], float]:
    """Give what trains one network on an epoch's batches and says how long it took."""
    model = build_classifier(case.recipe("none"), CLASSES).to(device)
    model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    autocast = precision.autocast("auto", device)

    def epoch(batches: Batches) -> float:
        model.train()
        started, loss = time.perf_counter(), torch.zeros((), device=device)
        for pixels, labels in batches:
            with autocast:
                logits = model(pixels)
            loss = F.cross_entropy(logits, labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        loss.item()  # waits for the device
        return time.perf_counter() - started

    return epoch


def training(
    epoch: Callable[[Batches], float], case: Case, images: ImageSet, attempt: Attempt, level: str
) -> Timed:
    """Give what trains an epoch on the files, as a trial is fed."""
    number, task = count(1), ImageTask(case.recipe(level))

    def turn() -> float:
        with training_feed(images, task, attempt, next(number), IMAGENET) as feed:
            return epoch(pairs_of(feed))

    return turn


def ready_training(
    epoch: Callable[[Batches], float], case: Case, images: ImageSet, level: str, device: str
) -> Timed:
    """Give what trains an epoch on batches that lie on the device."""
    everything = torch.arange(len(images), device=images.labels.device)
    batches = [
        (batch.pixels.to(device), batch.labels.to(device))
        for batch in map(
            images.batch, torch.tensor_split(everything, -(-len(images) // case.batch_size))
        )
    ]
    if level == "none":
        batches = [(normalize(pixels, IMAGENET), labels) for pixels, labels in batches]
    draws = torch.Generator().manual_seed(0)

    def augmented() -> Batches:
        for pixels, labels in batches:
            ready = pixels if level == "none" else augment(pixels, draws, level, IMAGENET)
            yield ready, labels

    return lambda: epoch(augmented())


def loading(case: Case, images: ImageSet, attempt: Attempt) -> Timed:
    """Give what loads an epoch our way and does nothing with it."""
    number, task = count(1), ImageTask(case.recipe("none"))

    def turn() -> float:
        with training_feed(images, task, attempt, next(number), IMAGENET) as feed:
            return used_up(pairs_of(feed), len(images), attempt.device)

    return turn


def pairs_of(feed: Feed) -> Batches:
    """Yield each batch of ours as the pixels and labels that the others' are."""
    for batch in feed:
        yield batch.pixels, batch.labels


def draw_files(folder: Path, case: Case) -> Path:
    """Give class folders of soft shapes under grain, which compress about as photographs do."""
    random = np.random.default_rng(0)
    for split, files in (("train", case.files), ("val", CLASSES), ("test", CLASSES)):
        for number in range(files):
            coarse = random.integers(0, 256, (case.height // 25, case.width // 25, 3), np.uint8)
            soft = Image.fromarray(coarse).resize(
                (case.width, case.height), Image.Resampling.BICUBIC
            )
            grain = random.normal(0, 4, (case.height, case.width, 1))
            pixels = (np.asarray(soft) + grain).clip(0, 255).astype(np.uint8)
            path = folder / split / str(number % CLASSES) / f"{split}-{number}.{case.suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path, quality=92)
    return folder


if __name__ == "__main__":
    main()
