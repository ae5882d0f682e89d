"""Random erasing (Zhong et al. 2017, arXiv:1708.04896), with another box for each image."""

import math

import torch
from torch import Tensor

# Probability, share of the area, and side ratio: the defaults of torchvision's class.
PROBABILITY = 0.5
AREA = (0.02, 0.33)
RATIO = (0.3, 1 / 0.3)
TRIES = 10


def erase_(images: Tensor, generator: torch.Generator) -> Tensor:
    """Put a box of zeros, the mean colour, into half of the normalised images (B, C, H, W).

    The images are changed in place.
    """
    height, width = images.shape[-2:]
    drawn = boxes(len(images), height, width, generator).to(images.device, non_blocking=True)
    top, left, rows, columns = drawn[..., None, None, None].unbind(1)
    y = torch.arange(height, device=images.device).view(-1, 1)
    x = torch.arange(width, device=images.device)
    inside = (top <= y) & (y < top + rows) & (left <= x) & (x < left + columns)
    return images.masked_fill_(inside, 0.0)


def boxes(count: int, height: int, width: int, generator: torch.Generator) -> Tensor:
    """Draw (count, 4): top, left, rows, columns of each box; 0 rows leave an image unchanged.

    A box that is not smaller than the image is drawn again, up to ten times.
    """
    uniform = torch.rand((count, 2 * TRIES + 3), generator=generator)
    area = height * width * _between(*AREA, uniform[:, :TRIES])
    log_ratio = _between(math.log(RATIO[0]), math.log(RATIO[1]), uniform[:, TRIES : 2 * TRIES])
    rows = (area * log_ratio.exp()).sqrt().round()
    columns = (area / log_ratio.exp()).sqrt().round()
    fits = (rows < height) & (columns < width)
    first = fits.int().argmax(1, keepdim=True)
    is_erased = fits.any(1) & (uniform[:, -3] < PROBABILITY)
    rows = rows.gather(1, first).squeeze(1) * is_erased
    columns = columns.gather(1, first).squeeze(1) * is_erased
    top = (uniform[:, -2] * (height - rows + 1)).floor()
    left = (uniform[:, -1] * (width - columns + 1)).floor()
    return torch.stack([top, left, rows, columns], 1).long()


def _between(low: float, high: float, uniform: Tensor) -> Tensor:
    return low + (high - low) * uniform
