"""From files to batches: the cost of real files in training, and the time of other loaders.

`python -m benchmarks.input_pipeline [--device cuda] [--against ready pil timm] [--pairs 9]`

Ours reads real files like a trial: through the cache of decoded images, with warm pages.
Against ready: the same network is trained on batches that lie on the device, with the same
augmentation (with level none they are normalised beforehand). Against pil and timm: no network,
batches only, without augmentation; pil is a torch DataLoader without workers, timm its own loader
at its fastest setting here.
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

from benchmarks.loaders import Wanted, fastest_timm, pil_loading, read_all
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
NOTES = "ratio: seconds of the other / ours; low, high: 95 % interval; fed from host or GPU memory"


@dataclass(frozen=True, kw_only=True)
class Case:
    """Files of one kind, and the network that is trained on them."""

    suffix: str
    width: int
    height: int
    files: int
    image_size: int
    backbone: str
    batch_size: int
    trained: int  # images in one turn of training; 0 where another case trains on as many pixels

    def recipe(self, augmentation: str) -> ImageRecipe:
        """Build the recipe of the network at this level of augmentation."""
        names = ("backbone", "image_size", "batch_size")
        chosen = {name: getattr(self, name) for name in names}
        return ImageRecipe.from_config({**chosen, "augmentation": augmentation})


# The sizes of Gleason patches and of the photographs of skin.
PATCHES: Any = {"suffix": "png", "width": 250, "height": 250}
PHOTOGRAPHS: Any = {"suffix": "jpg", "width": 600, "height": 450}
SMALL: Any = {"files": 1500, "image_size": 64, "backbone": "resnet18", "batch_size": 32}
LARGE: Any = {"files": 2560, "image_size": 224, "backbone": "resnet50", "batch_size": 256}
CASES = {
    "cpu": [
        Case(**PATCHES, **SMALL, trained=256),
        Case(**PHOTOGRAPHS, **SMALL, trained=0),
    ],
    "cuda": [Case(**PHOTOGRAPHS, **LARGE, trained=2560)],
}


def main() -> None:
    """Compare every case of the device with the chosen loaders and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=CASES, help="one of them; else all that are here")
    parser.add_argument("--against", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--pairs", type=int, default=9, help="turns of each, after one uncounted")
    parser.add_argument("--json", action="store_true", help="only the lines of JSON")
    chosen = parser.parse_args()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # like in every worker
    here = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    for device in [chosen.device] if chosen.device else here:
        precision.settle(THREADS, deterministic=device == "cpu")  # on a CPU it costs nothing
        with tempfile.TemporaryDirectory() as folder:
            rows = measured(device, Path(folder), chosen.against, chosen.pairs)
            report("input_pipeline", rows, device, notes=NOTES, as_json=chosen.json)


def measured(device: str, folder: Path, against: list[str], pairs: int) -> Iterator[dict[str, Any]]:
    """Measure a row for each case and each comparison."""
    for case in CASES[device]:
        files = draw_files(folder / case.suffix, case)
        source, cache = DataSource(layout={"kind": "class_folders"}, folder=files), folder / "cache"
        attempt = Attempt(folder=folder, data=source, device=device, cache=cache)
        images = open_images(attempt, case.image_size)["train"]
        if "ready" in against and case.trained:
            yield from against_ready_batches(case, attempt, pairs)
        ours = loading(case, images, attempt)
        wanted = Wanted(
            folder=files / "train",
            image_size=case.image_size,
            batch_size=case.batch_size,
            device=device,
        )
        if "pil" in against:
            seen = compare(ours, pil_loading(wanted), pairs)
            yield row(case, "pil", seen, how="DataLoader, no workers", images=case.files)
        if "timm" in against:
            theirs, setting = fastest_timm(wanted)
            seen = compare(ours, theirs, pairs)
            yield row(case, "timm", seen, how=setting, images=case.files)


def row(
    case: Case, against: str, seen: Comparison, *, how: str, images: int, fed_from: str = "host"
) -> dict[str, Any]:
    """Build one row: the comparison, images per second of both, their ratio, the verdict."""
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
        ready = ready_training(epoch, case, images, level=level, device=attempt.device)
        for fed_from, given in fed.items():
            ours = training(epoch, ImageTask(case.recipe(level)), given, attempt)
            seen = compare(ours, ready, pairs)
            how = f"{case.backbone}, augmentation {level}"
            yield row(case, "ready", seen, how=how, images=len(images), fed_from=fed_from)


def trainer(case: Case, device: str) -> Callable[[Batches], float]:
    """Build a function that trains one network on an epoch's batches and returns the seconds."""
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
    epoch: Callable[[Batches], float], task: ImageTask, images: ImageSet, attempt: Attempt
) -> Timed:
    """Return the turn that trains an epoch on the files, fed like a trial."""
    number = count(1)

    def turn() -> float:
        with training_feed(
            images, task, attempt, epoch=next(number), normalization=IMAGENET
        ) as feed:
            return epoch(pairs_of(feed))

    return turn


def ready_training(
    epoch: Callable[[Batches], float], case: Case, images: ImageSet, *, level: str, device: str
) -> Timed:
    """Return the turn that trains an epoch on batches that lie on the device."""
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
    """Return the turn that loads an epoch our way and does nothing with it."""
    number, task = count(1), ImageTask(case.recipe("none"))

    def turn() -> float:
        with training_feed(
            images, task, attempt, epoch=next(number), normalization=IMAGENET
        ) as feed:
            return read_all(pairs_of(feed), len(images), attempt.device)

    return turn


def pairs_of(feed: Feed) -> Batches:
    """Yield each batch of ours as the pixels and labels that the others' are."""
    for batch in feed:
        yield batch.pixels, batch.labels


def draw_files(folder: Path, case: Case) -> Path:
    """Write class folders of soft shapes under grain, which compress about like photographs."""
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
