"""Other ways from files to batches, to be timed beside ours: PIL one by one, and timm's loader."""

import os
import time
from collections.abc import Iterable
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from benchmarks.pairs import Timed

Batches = Iterable[tuple[Tensor, Tensor]]


class Files(Dataset[tuple[Tensor, int]]):
    """The files of class folders, decoded anew whenever they are asked for."""

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


def pil_loading(folder: Path, image_size: int, batch_size: int, device: str) -> Timed:
    """Give what decodes an epoch's files one by one."""
    files = Files(folder, image_size)
    loader = DataLoader(files, batch_size, shuffle=True, pin_memory=device == "cuda")
    return lambda: used_up(on_device(loader, device), len(files), device)


def fastest_timm(folder: Path, image_size: int, batch_size: int, device: str) -> tuple[Timed, str]:
    """Give timm's loader at the setting that is fastest here, and that setting in words."""
    tried = []
    for workers in sorted({0, 1, len(os.sched_getaffinity(0))}):
        for prefetcher in (False, True):
            turn = timm_loading(folder, image_size, batch_size, device, workers, prefetcher)
            turn()  # starts the workers
            setting = f"{workers} workers, prefetcher {'on' if prefetcher else 'off'}"
            tried.append((min(turn(), turn()), setting, turn))
    _, setting, turn = min(tried, key=lambda each: each[0])
    return turn, setting


def timm_loading(
    folder: Path, image_size: int, batch_size: int, device: str, workers: int, prefetcher: bool
) -> Timed:
    """Give what loads an epoch timm's way; it drops the last batch, which counts as the others."""
    from timm.data import create_dataset, create_loader

    files = create_dataset("", str(folder))
    loader = create_loader(
        files,
        (3, image_size, image_size),
        batch_size,
        is_training=True,
        no_aug=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        use_prefetcher=prefetcher,
        pin_memory=device == "cuda",
        device=torch.device(device),
    )
    return lambda: used_up(on_device(loader, device), len(files), device)


def on_device(batches: Batches, device: str) -> Batches:
    """Give the batches on the device, those that are there already as they are."""
    for images, labels in batches:
        yield images.to(device, non_blocking=True), labels.to(device, non_blocking=True)


def used_up(batches: Batches, images: int, device: str) -> float:
    """Give the seconds that so many images take, by those of these batches."""
    started, seen = time.perf_counter(), 0
    for pixels, _ in batches:
        seen += len(pixels)
    if device == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - started) * images / seen
