"""RandAugment (Cubuk et al. 2019, arXiv:1909.13719), with separate draws for each image."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as F

ROUNDS = 2  # operations for each image: the default of torchvision's class

Operation = Callable[[Tensor, int], Tensor]  # (B, 3, H, W) uint8 and a sign, 1 or -1


def rand_augment(batch: Tensor, generator: torch.Generator) -> Tensor:
    """Apply two drawn operations to each image of (B, 3, H, W) uint8.

    The strength is the same for all, so that one call serves all images with the same operation.
    torchvision's class draws once for a whole batch, and from the global random state.

    generator: on the CPU, the only source of the draws.
    """
    for _ in range(ROUNDS):
        drawn = torch.randint(2 * len(OPERATIONS), (len(batch),), generator=generator)
        batch = _apply(batch, drawn)
    return batch


def _apply(batch: Tensor, drawn: Tensor) -> Tensor:
    """Sort the images by their draw, change each run of equal draws, and restore the order."""
    order = drawn.argsort(stable=True)
    changed, start = [], 0
    together = _rows(batch, order)
    for number, count in enumerate(drawn.bincount(minlength=2 * len(OPERATIONS)).tolist()):
        if count:
            operation, sign = OPERATIONS[number // 2], (-1) ** number
            changed.append(operation(together[start : start + count], sign))
        start += count
    return _rows(torch.cat(changed), order.argsort())


def _rows(batch: Tensor, order: Tensor) -> Tensor:
    # Rows of a flat array: indexing bytes in four dimensions is several times slower.
    rows = order.to(batch.device, non_blocking=True)
    return torch.index_select(batch.flatten(1), 0, rows).view_as(batch)


def _affine(
    images: Tensor, shift: list[int], shear: list[float], center: list[float] | None
) -> Tensor:
    moved: Tensor = F.affine(
        images, angle=0.0, translate=shift, scale=1.0, shear=shear, center=center
    )
    return moved


def _shear(images: Tensor, x: float, y: float) -> Tensor:
    degrees = [math.degrees(math.atan(x)), math.degrees(math.atan(y))]
    return _affine(images, [0, 0], degrees, [0.0, 0.0])


def _translate(images: Tensor, x: float, y: float) -> Tensor:
    pixels = [int(x * images.shape[-1]), int(y * images.shape[-2])]
    return _affine(images, pixels, [0.0, 0.0], None)


def _strength(most: float) -> float:
    return float(torch.linspace(0.0, most, 31)[9])  # the default of the class, to the last bit


SHEAR, SHIFT, DEGREES, FACTOR = map(_strength, (0.3, 150 / 331, 30.0, 0.9))
BITS, THRESHOLD = 7, 255 * float(torch.linspace(1.0, 0.0, 31)[9])

# The operations of torchvision.transforms.v2.RandAugment; some have no sign.
OPERATIONS: tuple[Operation, ...] = (
    lambda images, _: images,
    lambda images, sign: _shear(images, sign * SHEAR, 0.0),
    lambda images, sign: _shear(images, 0.0, sign * SHEAR),
    lambda images, sign: _translate(images, sign * SHIFT, 0.0),
    lambda images, sign: _translate(images, 0.0, sign * SHIFT),
    lambda images, sign: F.rotate(images, sign * DEGREES),
    lambda images, sign: F.adjust_brightness(images, 1 + sign * FACTOR),
    lambda images, sign: F.adjust_saturation(images, 1 + sign * FACTOR),
    lambda images, sign: F.adjust_contrast(images, 1 + sign * FACTOR),
    lambda images, sign: F.adjust_sharpness(images, 1 + sign * FACTOR),
    lambda images, _: F.posterize(images, BITS),
    lambda images, _: F.solarize(images, THRESHOLD),
    lambda images, _: F.autocontrast(images),
    lambda images, _: F.equalize(images),
)
