"""What drawn photographs are made of: soft shapes, smooth noise, absorbed and added colour."""

from dataclasses import astuple
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

Floats = npt.NDArray[np.floating[Any]]
Random = np.random.Generator
Range = tuple[float, float]
Form = TypeVar("Form")


def between(form: Form, other: Form, share: float) -> Form:
    """Give a form on the border of two, `share` of the way to the other; both of one dataclass."""
    pairs = zip(astuple(form), astuple(other), strict=True)  # type: ignore[call-overload]
    mixed = [np.multiply(a, 1 - share) + np.multiply(b, share) for a, b in pairs]
    return type(form)(*(value.tolist() for value in mixed))


def clouds(shape: tuple[int, int], cells: int, rng: Random) -> Floats:
    """Give smooth noise of about unit deviation with so many cells to the longer side."""
    height, width = (max(2, round(cells * side / max(shape))) for side in shape)
    noise = Image.fromarray(rng.standard_normal((height, width)).astype(np.float32))
    return np.asarray(noise.resize(shape[::-1], Image.Resampling.BICUBIC))


class Canvas:
    """A photograph in the making: pixels (height, width, 3), and where each stands.

    x and y run from -1 to 1 along the shorter side, from the middle.
    """

    def __init__(self, width: int, height: int, rng: Random) -> None:
        self.rng, self.shape = rng, (height, width)
        self.pixels: Floats = np.ones((height, width, 3))
        down, across = np.mgrid[:height, :width] + 0.5
        self.y = (2 * down - height) / min(self.shape)
        self.x = (2 * across - width) / min(self.shape)

    def blob(self, x: float, y: float, radius: float, waviness: float, soft: float) -> Floats:
        """Give how much a wavy disc covers each pixel, 0 to 1; soft: the width of its border."""
        turns = np.arctan2(self.y - y, self.x - x)
        waves = np.arange(2, 8)
        sizes = self.rng.normal(0, waviness, len(waves)) / np.sqrt(waves / 2)
        phases = self.rng.uniform(0, 2 * np.pi, len(waves))
        reach = 1 + (sizes * np.cos(waves * turns[..., None] + phases)).sum(axis=2)
        return soft_edge(radius * reach - np.hypot(self.x - x, self.y - y), soft)

    def line(self, start: Floats, angle: float, bend: float, length: float, width: float) -> Floats:
        """Give how much a bent line covers each pixel; it runs along the angle from the start."""
        along = (self.x - start[0]) * np.cos(angle) + (self.y - start[1]) * np.sin(angle)
        beside = (self.y - start[1]) * np.cos(angle) - (self.x - start[0]) * np.sin(angle)
        is_near = (along > 0) & (along < length)
        covered: Floats = soft_edge(width - np.abs(beside - bend * along**2), 0.02) * is_near
        return covered

    def clouds(self, cells: int) -> Floats:
        """Give smooth noise (height, width) of about unit deviation."""
        return clouds(self.shape, cells, self.rng)

    def absorb(self, colour: Floats, density: Floats) -> None:
        """Dim the light by a dye: colour (3,) is what it takes of red, green and blue."""
        self.pixels *= np.exp(-density[..., None] * colour)

    def cover(self, colour: Floats, coverage: Floats) -> None:
        """Lay a colour (3,) over the picture, as far as the coverage says."""
        self.pixels += (colour - self.pixels) * coverage[..., None]

    def photograph(self, light: Floats, noise: float) -> Image.Image:
        """Give the picture as a camera sees it under this light (3,)."""
        grain = self.rng.normal(0, noise, self.pixels.shape)
        return Image.fromarray(((self.pixels * light + grain) * 255).clip(0, 255).astype(np.uint8))


def soft_edge(distance: Floats, soft: float) -> Floats:
    """Give the coverage at a distance inside a border (negative outside) of this width."""
    covered: Floats = 1 / (1 + np.exp(-np.clip(4 * distance / soft, -40, 40)))
    return covered
