"""Compute on as many images at once as fit into the memory of the device."""

import logging
from collections.abc import Callable
from typing import TypeVar

import torch

from objectives.contract import OutOfMemory, is_out_of_memory

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")


def halve_until_it_fits(
    images: int, run: Callable[[int], Answer], fewest: int = 1
) -> tuple[Answer, int]:
    """Call `run` with a number of images, halved until it fits; return its answer and the number.

    Raises OutOfMemory when not even the fewest images fit.

    run: called again from its beginning with each smaller number.
    fewest: 1, or 2 where BatchNorm learns.
    """
    while True:
        try:
            return run(images), images
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if images <= fewest:
                beside = "" if fewest == 1 else ", with a second one that BatchNorm needs"
                raise OutOfMemory(
                    f"not even one image at a time fits into memory{beside} "
                    f"({_first_line(error)}); use a smaller backbone or image_size"
                ) from error
        # Outside the except block, where the traceback would still hold the memory to be freed.
        _release()
        images = max(fewest, images // 2)
        log.warning("memory is short: %d images at a time from here on", images)


def _release() -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
