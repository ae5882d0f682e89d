"""Other loaders, to be timed beside ours: PIL, image by image, and timm's."""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from benchmarks.pairs import Timed

Batches = Iterable[tuple[Tensor, Tensor]]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The batches that every loader has to make: of the images in class folders, in any order."""

    folder: Path
    image_size: int
    batch_size: int
    device: str


class Files(Dataset[tuple[Tensor, int]]):
    """The files of class folders, decoded at each access."""

    def __init__(self, folder: Path, image_size: int) -> None:
        self.paths = sorted(folder.rglob("*.*"))
        size = (image_size, image_size)
        self.transform = v2.Compose(
            [v2.Resize(size), v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True)]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        with Image.open(self.paths[index]) as image:
            return self.transform(image.convert("RGB")), int(self.paths[index].parent.name)


def pil_loading(wanted: Wanted) -> Timed:
    """Return the turn that decodes the files of an epoch one by one."""
    files, device = Files(wanted.folder, wanted.image_size), wanted.device
    loader = DataLoader(files, wanted.batch_size, shuffle=True, pin_memory=device == "cuda")
    return lambda: read_all(on_device(loader, device), len(files), device)


def fastest_timm(wanted: Wanted) -> tuple[Timed, str]:
    """Return the turn of timm's loader at its fastest setting here, and that setting in words."""
    tried = []
    for workers in sorted({0, 1, len(os.sched_getaffinity(0))}):
        for prefetcher in (False, True):
            turn = timm_loading(wanted, workers, prefetcher=prefetcher)
            turn()  # starts the workers
            setting = f"{workers} workers, prefetcher {'on' if prefetcher else 'off'}"
            tried.append((min(turn(), turn()), setting, turn))
    _, setting, turn = min(tried, key=lambda each: each[0])
    return turn, setting


def timm_loading(wanted: Wanted, workers: int, *, prefetcher: bool) -> Timed:
    """Return the turn that loads an epoch with timm's loader.

    The loader drops the last batch; its time is taken to be that of the others.
    """
    from timm.data import create_dataset, create_loader

    files = create_dataset("", str(wanted.folder))
    loader = create_loader(
        files,
        (3, wanted.image_size, wanted.image_size),
        wanted.batch_size,
        is_training=True,
        no_aug=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        use_prefetcher=prefetcher,
        pin_memory=wanted.device == "cuda",
        device=torch.device(wanted.device),
    )
    return lambda: read_all(on_device(loader, wanted.device), len(files), wanted.device)


def on_device(batches: Batches, device: str) -> Batches:
    """Yield the batches on the device, moved there if need be."""
    for images, labels in batches:
        yield images.to(device, non_blocking=True), labels.to(device, non_blocking=True)


def read_all(batches: Batches, images: int, device: str) -> float:
    """Read all batches; return the seconds that `images` images take at the speed of these."""
    started, seen = time.perf_counter(), 0
    for pixels, _ in batches:
        seen += len(pixels)
    if device == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - started) * images / seen
