"""Doing as much at once as the device's memory holds."""

import logging
from collections.abc import Callable
from typing import TypeVar

import torch

from objectives.contract import OutOfMemory, is_out_of_memory

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")


def in_parts(part: int, run: Callable[[int], Answer]) -> tuple[Answer, int]:
    """Give what `run` gives with parts of so many images, halved until it fits, and their size.

    run: called again with the smaller size, from its beginning. Raises OutOfMemory when not even
    one image fits.
    """
    while True:
        try:
            return run(part), part
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if part == 1:
                raise OutOfMemory(
                    f"not even one image at a time fits into memory ({_first_line(error)}); "
                    "use a smaller backbone or image_size"
                ) from error
        # Only here: inside the except block the traceback still holds what is to be freed.
        _release()
        part //= 2
        log.warning("memory is short: %d images at a time from here on", part)


def _release() -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
