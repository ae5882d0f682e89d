"""Practice photographs of an eye with the lower lid pulled down; its lining is paler in anaemia."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from objectives.practice.canvas import Canvas, Floats, Random, soft_edge

PALE, RED = np.array((0.9, 0.72, 0.64)), np.array((0.74, 0.26, 0.26))
SCLERA, VESSEL = np.array((0.93, 0.91, 0.88)), np.array((0.7, 0.25, 0.22))
SKINS = np.array(((0.93, 0.77, 0.66), (0.8, 0.6, 0.46), (0.6, 0.42, 0.31), (0.4, 0.27, 0.2)))
IRISES = np.array(((0.2, 0.12, 0.08), (0.36, 0.22, 0.12), (0.4, 0.5, 0.55)))
PALEST, REDDEST = 6.0, 15.0  # g/dl of haemoglobin at which the lining is all pale and all red
NOISE = 0.08  # deviation of the redness that haemoglobin alone would give, from 0 to 1
BLURRED, GLARING = 0.35, 0.4


@dataclass(frozen=True)
class Camera:
    """A site's phone and lamp."""

    size: tuple[int, int]  # width and height in pixels
    light: tuple[float, float, float]  # red, green, blue


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One person on one visit; both eyes look alike."""

    redness: float  # of the lining, 0 to 1
    skin: Floats  # (3,)
    iris: Floats  # (3,)
    light: Floats  # (3,), lamp and white balance of the visit, so that colour alone does not tell


def draw_subject(haemoglobin: float, camera: Camera, rng: Random) -> Subject:
    """Draw a person with this much haemoglobin (g/dl), photographed by this camera."""
    redness = (haemoglobin - PALEST) / (REDDEST - PALEST) + rng.normal(0, NOISE)
    light = np.array(camera.light) * rng.uniform(0.75, 1.1) * rng.normal(1, 0.06, 3)
    skin = SKINS[rng.integers(len(SKINS))] * rng.normal(1, 0.04, 3)
    iris = IRISES[rng.integers(len(IRISES))]
    return Subject(redness=float(np.clip(redness, 0, 1)), skin=skin, iris=iris, light=light)


def photograph(subject: Subject, camera: Camera, is_left: bool, rng: Random) -> Image.Image:
    """Draw one photograph of one eye."""
    canvas = Canvas(*camera.size, rng)
    canvas.pixels[:] = subject.skin
    canvas.pixels *= 1 + (0.05 * canvas.clouds(5) + 0.03 * canvas.clouds(30))[..., None]
    x = rng.normal(0, 0.1) + (0.12 if is_left else -0.12)
    _open_eye(canvas, subject, x)
    _pull_lid(canvas, subject, x)
    _hold_lid(canvas, subject, x)
    image = canvas.photograph(subject.light, noise=0.02)
    if rng.random() < BLURRED:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.1) * image.height / 72))
    return image


def _open_eye(canvas: Canvas, subject: Subject, x: float) -> None:
    """Draw the white with its vessels, the iris and the pupil above the lid."""
    rng = canvas.rng
    upper, lower = rng.uniform(-0.8, -0.6), rng.uniform(0.0, 0.15)
    white = _between_lids(canvas, x, (upper, lower), bow=0.5)
    canvas.cover(SCLERA, white)
    for _ in range(rng.integers(2, 6)):
        start = np.array((rng.uniform(-0.8, 0.8), rng.uniform(-0.5, 0.1)))
        angle, bend = rng.uniform(0, 2 * np.pi), rng.normal(0, 1)
        vein = canvas.line(start, angle, bend, length=0.4, width=0.012)
        canvas.cover(VESSEL, 0.45 * vein * white)
    y = rng.uniform(-0.65, -0.35)
    canvas.cover(subject.iris, canvas.blob(x, y, 0.38, waviness=0.005, soft=0.06) * white)
    canvas.cover(np.full(3, 0.05), canvas.blob(x, y, 0.15, waviness=0.005, soft=0.05) * white)
    if rng.random() < GLARING:
        left, top = x + rng.normal(0, 0.2), y + rng.normal(0, 0.2)
        glare = canvas.blob(left, top, 0.07, waviness=0.02, soft=0.05)
        canvas.cover(np.ones(3), glare * white)


def _pull_lid(canvas: Canvas, subject: Subject, x: float) -> None:
    """Draw the lining of the lower lid: the strip whose colour tells the class."""
    rng = canvas.rng
    top, depth = rng.uniform(0.05, 0.18), rng.uniform(0.25, 0.45)
    strip = _between_lids(canvas, x, (top, top + depth), bow=-0.4)
    colour = PALE + (RED - PALE) * subject.redness
    canvas.cover(colour, strip)
    canvas.pixels *= 1 + (0.06 * canvas.clouds(8) * strip)[..., None]
    for _ in range(round(rng.uniform(3, 6) + 5 * subject.redness)):
        start = np.array((rng.uniform(-0.8, 0.8), top + rng.uniform(0, depth)))
        angle, bend = rng.normal(np.pi / 2, 0.6), rng.normal(0, 2)
        vessel = canvas.line(start, angle, bend, length=0.25, width=0.012)
        canvas.cover(colour * (0.8, 0.55, 0.55), 0.6 * vessel * strip)
    for _ in range(rng.integers(0, 4)):  # wet: the lamp is mirrored in it
        left, down = rng.uniform(-0.7, 0.7), top + rng.uniform(0, depth)
        shine = canvas.blob(left, down, 0.05, waviness=0.03, soft=0.05)
        canvas.cover(np.ones(3), 0.7 * shine * strip)


def _hold_lid(canvas: Canvas, subject: Subject, x: float) -> None:
    """Draw the finger below, and lashes at the edge of the lid."""
    rng = canvas.rng
    if rng.random() < 0.5:
        left, down = x + rng.normal(0, 0.2), rng.uniform(0.95, 1.15)
        finger = canvas.blob(left, down, 0.35, waviness=0.02, soft=0.06)
        canvas.cover(subject.skin * rng.uniform(0.85, 1.1), finger)
    for _ in range(rng.integers(4, 12)):
        start = np.array((rng.uniform(-0.9, 0.9), rng.uniform(0.5, 0.65)))
        angle, bend = rng.normal(np.pi / 2, 0.3), rng.normal(0, 1)
        lash = canvas.line(start, angle, bend, length=0.25, width=0.01)
        canvas.cover(np.full(3, 0.1), 0.7 * lash)


def _between_lids(canvas: Canvas, x: float, edges: tuple[float, float], bow: float) -> Floats:
    """Draw the strip between two bows that meet at the corners of the eye; return its coverage."""
    top, bottom = edges
    across = ((canvas.x - x) / 1.1) ** 2
    upper = top + max(bow, 0) * across - min(bow, 0) * 0.1 * across
    lower = bottom + min(bow, 0) * across
    return soft_edge(np.minimum(canvas.y - upper, lower - canvas.y), 0.05)
