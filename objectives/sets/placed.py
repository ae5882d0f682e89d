"""Sets of images on a GPU, kept there for the next trial."""

import weakref
from collections.abc import Callable

import torch

from objectives.sets.images import ImageSet

ROOM = 4  # times the set's own bytes must be free: the network and its activations come after it


class Placed:
    """The sets that were moved to a device last: one to train and one to validate on."""

    def __init__(self) -> None:
        self._moved: dict[int, tuple[weakref.ref[ImageSet], ImageSet]] = {}

    def on(self, images: ImageSet, device: str, free_bytes: Callable[[str], int]) -> ImageSet:
        """Return the set on the device if it is there or enough is free, else the set itself."""
        moved = self._moved.pop(id(images), None)
        self._drop(1)
        if moved is None or moved[0]() is not images:
            if ROOM * images.nbytes > free_bytes(device):
                return images
            moved = (weakref.ref(images), images.to(device))
        self._moved[id(images)] = moved
        return moved[1]

    def _drop(self, most: int) -> None:
        """Let go of sets whose original is gone, and of those used longest ago."""
        kept = [(key, moved) for key, moved in self._moved.items() if moved[0]() is not None]
        self._moved = dict(kept[-most:])


_of_this_process = Placed()  # as long-lived as the sets that `open_images` keeps


def place(images: ImageSet, device: str) -> ImageSet:
    """Return the images on the GPU if four times their size is free, else where they are.

    They stay there as long as the given set is kept, at most two sets at a time.
    """
    return images if device == "cpu" else _of_this_process.on(images, device, _free_bytes)


def _free_bytes(device: str) -> int:
    # Memory that torch has reserved from the driver and no longer uses counts as free.
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return torch.cuda.mem_get_info(device)[0] + unused
