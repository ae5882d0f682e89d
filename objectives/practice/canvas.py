"""Tools to draw photographs: soft shapes, smooth noise, absorbed and added colour."""

from dataclasses import asdict
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

Floats = npt.NDArray[np.floating[Any]]
Random = np.random.Generator
Range = tuple[float, float]
Form = TypeVar("Form")


def between(form: Form, other: Form, share: float) -> Form:
    """Mix two forms of one dataclass, field by field: 0 is `form` itself, 1 is `other`."""
    values, others = asdict(form), asdict(other)  # type: ignore[call-overload]
    mixed = {
        name: np.multiply(value, 1 - share) + np.multiply(others[name], share)
        for name, value in values.items()
    }
    return type(form)(**{name: value.tolist() for name, value in mixed.items()})


def clouds(shape: tuple[int, int], cells: int, rng: Random) -> Floats:
    """Draw smooth noise of about unit deviation, with `cells` bumps along the longer side."""
    height, width = (max(2, round(cells * side / max(shape))) for side in shape)
    noise = Image.fromarray(rng.standard_normal((height, width)).astype(np.float32))
    return np.asarray(noise.resize(shape[::-1], Image.Resampling.BICUBIC))


class Canvas:
    """A photograph in the making.

    pixels: (height, width, 3), the share of light from 0 to 1.
    x, y: (height, width), the place of each pixel from the middle, -1 to 1 along the shorter side.
    """

    def __init__(self, width: int, height: int, rng: Random) -> None:
        self.rng, self.shape = rng, (height, width)
        self.pixels: Floats = np.ones((height, width, 3))
        down, across = np.mgrid[:height, :width] + 0.5
        self.y = (2 * down - height) / min(self.shape)
        self.x = (2 * across - width) / min(self.shape)

    def blob(self, x: float, y: float, radius: float, *, waviness: float, soft: float) -> Floats:
        """Draw a wavy disc; return its coverage of each pixel, 0 to 1.

        waviness: the deviation of its radius, as a share of it.
        soft: the width of its border.
        """
        turns = np.arctan2(self.y - y, self.x - x)
        waves = np.arange(2, 8)
        sizes = self.rng.normal(0, waviness, len(waves)) / np.sqrt(waves / 2)
        phases = self.rng.uniform(0, 2 * np.pi, len(waves))
        reach = 1 + (sizes * np.cos(waves * turns[..., None] + phases)).sum(axis=2)
        return soft_edge(radius * reach - np.hypot(self.x - x, self.y - y), soft)

    def line(
        self, start: Floats, angle: float, bend: float, *, length: float, width: float
    ) -> Floats:
        """Draw a bent line from the start along the angle; return its coverage of each pixel."""
        along = (self.x - start[0]) * np.cos(angle) + (self.y - start[1]) * np.sin(angle)
        beside = (self.y - start[1]) * np.cos(angle) - (self.x - start[0]) * np.sin(angle)
        is_near = (along > 0) & (along < length)
        covered: Floats = soft_edge(width - np.abs(beside - bend * along**2), 0.02) * is_near
        return covered

    def clouds(self, cells: int) -> Floats:
        """Draw smooth noise (height, width) of about unit deviation."""
        return clouds(self.shape, cells, self.rng)

    def absorb(self, colour: Floats, density: Floats) -> None:
        """Dim the light by a dye that takes `colour` (3,) of red, green and blue."""
        self.pixels *= np.exp(-density[..., None] * colour)

    def cover(self, colour: Floats, coverage: Floats) -> None:
        """Lay a colour (3,) over the picture, as dense as the coverage."""
        self.pixels += (colour - self.pixels) * coverage[..., None]

    def photograph(self, light: Floats, noise: float) -> Image.Image:
        """Take the picture with a camera under this light (3,); noise: deviation of the grain."""
        grain = self.rng.normal(0, noise, self.pixels.shape)
        return Image.fromarray(((self.pixels * light + grain) * 255).clip(0, 255).astype(np.uint8))


def soft_edge(distance: Floats, soft: float) -> Floats:
    """Compute the coverage at a distance inside a border of this width; negative is outside."""
    covered: Floats = 1 / (1 + np.exp(-np.clip(4 * distance / soft, -40, 40)))
    return covered
