"""Copy pixels from host memory to the device before a step needs them."""

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import Tensor

from objectives.sets.batch import Batch
from objectives.sets.images import ImageSet

Item = TypeVar("Item")
AHEAD = 2  # batches: one is copied while the device computes on another
_END = object()


def fetch(images: ImageSet, order: Sequence[Tensor], device: str) -> Generator[Batch, None, None]:
    """Yield the images of each batch of indices on the device, in order.

    A thread gathers images in host memory and copies them to a GPU; closing the generator ends it.
    On a CPU there is no thread: it would take time from the core that trains.
    """
    sizes = [len(indices) for indices in order]
    here = images.labels.device
    # All indices, labels and tables at once: one copy per batch would wait for the device.
    if here.type == torch.device(device).type:
        yield from map(images.batch, torch.split(torch.cat(tuple(order)).to(here), sizes))
        return
    everything = torch.cat(tuple(order))
    labels = torch.split(images.labels[everything].to(device), sizes)
    tables: Sequence[Tensor | None] = [None] * len(sizes)
    if images.tabular is not None:
        tables = torch.split(images.tabular[everything].to(device), sizes)
    prefetched = ahead(_copies(images, order, device), AHEAD)
    try:
        for (pixels, copied), some, table in zip(prefetched, labels, tables, strict=True):
            stream = torch.cuda.current_stream(device)
            stream.wait_event(copied)
            pixels.record_stream(stream)  # its memory was allocated on the thread's stream
            yield Batch(pixels, some, table)
    finally:
        prefetched.close()


def ahead(items: Iterator[Item], depth: int) -> Generator[Item, None, None]:
    """Yield the items of an iterator, which a thread reads up to `depth` items ahead.

    An error in the thread is raised here, with its own traceback. The thread ends with the
    generator, once it has read its present item.
    """
    pool = ThreadPoolExecutor(1, "prefetch")
    try:
        pending = deque(pool.submit(next, items, _END) for _ in range(depth))
        while (item := pending.popleft().result()) is not _END:
            pending.append(pool.submit(next, items, _END))
            yield item  # type: ignore[misc]
    finally:
        pool.shutdown(cancel_futures=True)


def _copies(
    images: ImageSet, order: Sequence[Tensor], device: str
) -> Iterator[tuple[Tensor, torch.cuda.Event]]:
    """Start the copy of each batch on a separate stream, with an event for its end."""
    side = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    shape = (max(map(len, order)), *images.images.shape[1:])
    # One buffer is filled while another is copied; the third keeps both from waiting.
    free: deque[tuple[Tensor, torch.cuda.Event | None]] = deque(
        (torch.empty(shape, dtype=torch.uint8, pin_memory=True), None) for _ in range(3)
    )
    for indices in order:
        buffer, left = free.popleft()
        if left is not None:
            left.synchronize()  # the buffer's last content must be on the device first
        pixels = images.batch(indices, out=buffer[: len(indices)]).pixels
        with torch.cuda.stream(side):
            on_device = pixels.to(device, non_blocking=True)
            copied = side.record_event()
        free.append((buffer, copied))
        yield on_device, copied
