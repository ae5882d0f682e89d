"""A patch of drawn tissue: masks of the parts that take up stain, and their photograph."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from objectives.practice.canvas import Floats, Random, clouds

FIELD = 64.0  # lengths and places are in 64ths of the patch's side, whatever its pixels
ELLIPSE_POINTS = 10
OVERSAMPLING = 2  # masks are drawn so much larger, then averaged: smooth borders

# Optical density of one unit of dye in red, green and blue, as fitted to real slides
# (Macenko et al. 2009, doi:10.1109/ISBI.2009.5193250).
HEMATOXYLIN, EOSIN = (0.5626, 0.7201, 0.4062), (0.2159, 0.8012, 0.5581)


@dataclass(frozen=True, kw_only=True)
class Stain:
    """The colours of a slide, as one laboratory's day made them."""

    hematoxylin: Floats  # (3,), optical density in red, green and blue
    eosin: Floats  # (3,), the same
    hematoxylin_strength: float
    eosin_strength: float
    light: float  # of the lamp, at most 255


def draw_stain(rng: Random) -> Stain:
    """Draw the colours of a slide."""
    return Stain(
        hematoxylin=(np.array(HEMATOXYLIN) + rng.normal(0, 0.05, 3)).clip(0.05),
        eosin=(np.array(EOSIN) + rng.normal(0, 0.05, 3)).clip(0.05),
        hematoxylin_strength=rng.uniform(0.75, 1.25),
        eosin_strength=rng.uniform(0.65, 1.3),
        light=rng.uniform(236, 252),
    )


class Tissue:
    """A patch in the making: four masks that are drawn on, part by part."""

    def __init__(self, size: int, rng: Random) -> None:
        self.rng, self.size = rng, size
        side = size * OVERSAMPLING
        self.unit = side / FIELD
        self.nuclei, self.cytoplasm, self.lumen, self.secretion = (
            Image.new("L", (side, side)) for _ in range(4)
        )
        self.fibre_angle = rng.uniform(0, np.pi)

    def anywhere(self, count: int, margin: float = 2) -> Floats:
        """Draw places (count, 2) on the patch and up to `margin` beyond its edges."""
        return self.rng.uniform(-margin, FIELD + margin, (count, 2))

    def paint(self, mask: Image.Image, outlines: Sequence[Floats], shade: int) -> None:
        """Fill outlines (points, 2) on a mask."""
        draw = ImageDraw.Draw(mask)
        for outline in outlines:
            draw.polygon((outline * self.unit).ravel().tolist(), fill=shade)

    def cut(self, outline: Floats) -> None:
        """Clear the inside of the outline on all masks."""
        for mask in (self.nuclei, self.cytoplasm, self.lumen, self.secretion):
            self.paint(mask, [outline], 0)

    def put_nuclei(self, centres: Floats, radii: Floats, angles: Floats) -> None:
        """Draw nuclei with a rim of chromatin around a paler inside; radii (count, 2)."""
        draw = ImageDraw.Draw(self.nuclei)
        shades = self.rng.integers(120, 240, len(centres)).tolist()
        outlines = (ellipses(centres, radii, angles) * self.unit).reshape(-1, 2 * ELLIPSE_POINTS)
        for points, shade in zip(outlines.tolist(), shades, strict=True):
            draw.polygon(points, fill=shade, outline=min(255, shade + 50))

    def photograph(self, stain: Stain) -> Image.Image:
        """Take the picture with a camera: light dimmed by each dye (Beer and Lambert)."""
        nuclei, cytoplasm, lumen, secretion = (
            np.asarray(mask.reduce(OVERSAMPLING), dtype=np.float32) / 255
            for mask in (self.nuclei, self.cytoplasm, self.lumen, self.secretion)
        )
        stroma = (1 - cytoplasm) * (0.4 + 0.17 * self._fibres() + 0.07 * self._clouds(24))
        tissue = 1 - lumen
        grain = 1 + 0.25 * self._clouds(16)
        hematoxylin = nuclei * 1.45 + tissue * (0.07 + 0.38 * cytoplasm * grain)
        eosin = tissue * (stroma + 0.36 * cytoplasm * grain) + 0.6 * secretion + 0.1 * nuclei
        density = (
            hematoxylin[..., None] * stain.hematoxylin * stain.hematoxylin_strength
            + eosin[..., None] * stain.eosin * stain.eosin_strength
        )
        return Image.fromarray((stain.light * np.exp(-density)).astype(np.uint8))

    def _fibres(self) -> Floats:
        """Draw wavy bundles (size, size) of about -1 to 1 along the fibre angle."""
        y, x = np.mgrid[: self.size, : self.size] * (FIELD / self.size)
        across = x * np.sin(self.fibre_angle) - y * np.cos(self.fibre_angle)
        across = 2 * np.pi * (across + 2.5 * self._clouds(6))
        slow, fast = self.rng.uniform((0.04, 0.12), (0.08, 0.25))
        waves: Floats = np.sin(slow * across) + np.sin(fast * across) * self._clouds(5)
        return waves / 2

    def _clouds(self, cells: int) -> Floats:
        return clouds((self.size, self.size), cells, self.rng)


def ellipses(centres: Floats, radii: Floats, angles: Floats) -> Floats:
    """Compute outlines (count, points, 2); centres and radii are (count, 2), angles (count,)."""
    turns = np.linspace(0, 2 * np.pi, ELLIPSE_POINTS, endpoint=False)
    along = radii[:, :1] * np.cos(turns)
    across = radii[:, 1:] * np.sin(turns)
    cosine, sine = np.cos(angles)[:, None], np.sin(angles)[:, None]
    points = np.stack([along * cosine - across * sine, along * sine + across * cosine], axis=2)
    outlines: Floats = points + centres[:, None]
    return outlines


def blob(centre: Floats, radius: float, rng: Random, *, waves: int, depth: float) -> Floats:
    """Draw a wavy outline (points, 2) around a centre; its radius varies by about `depth`."""
    turns = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    sizes = rng.normal(0, depth / np.sqrt(waves), waves)[:, None]
    phases = rng.uniform(0, 2 * np.pi, (waves, 1))
    wave = (sizes * np.cos(np.arange(2, waves + 2)[:, None] * turns + phases)).sum(axis=0)
    reach = radius * (1 + wave)[:, None]
    outline: Floats = centre + reach * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    return outline
