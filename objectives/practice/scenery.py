"""Practice pictures of ten things: a silhouette of a few parts in front of a fitting scene."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from objectives.practice.canvas import Floats, Random, clouds

SIDE = 32
OVERSAMPLING = 4
ROUND_POINTS = 14
# A part: its shade of the thing's colour (0 is black, above 1 lighter), then its outline in a box
# of 1 x 1, down from the left upper corner: (left, top, right, bottom) of an ellipse, or corners.
Part = tuple[float, tuple[float, ...]]

_WHEELS: tuple[Part, ...] = ((0.15, (0.12, 0.62, 0.34, 0.84)), (0.15, (0.66, 0.62, 0.88, 0.84)))


def _legs(lefts: tuple[float, ...], top: float, bottom: float = 0.98) -> tuple[Part, ...]:
    return tuple(
        (0.8, (left, top, left + 0.07, top, left + 0.06, bottom, left + 0.01, bottom))
        for left in lefts
    )


@dataclass(frozen=True, kw_only=True)
class Thing:
    """The look of one class; each picture draws one of the scenes and one of the colours."""

    parts: tuple[Part, ...]
    scenes: tuple[str, ...]
    colours: tuple[tuple[int, int, int], ...]
    turn: float = 8  # deviation of its tilt, in degrees


WHITE, GREY, BLACK = (225, 225, 228), (130, 134, 140), (45, 42, 44)
RED, BLUE, YELLOW = (180, 45, 40), (50, 80, 160), (215, 180, 60)
BROWN, SAND, RUST, GREEN = (110, 74, 45), (190, 155, 110), (160, 95, 50), (90, 130, 50)

THINGS = {
    "airplane": Thing(
        parts=(
            (1, (0.02, 0.42, 0.98, 0.58)),
            (0.8, (0.4, 0.5, 0.58, 0.5, 0.44, 0.88, 0.32, 0.88)),
            (0.9, (0.42, 0.46, 0.56, 0.46, 0.42, 0.2, 0.34, 0.2)),
            (0.8, (0.04, 0.48, 0.16, 0.46, 0.08, 0.22, 0.0, 0.22)),
        ),
        scenes=("sky", "sky", "road"),
        colours=(WHITE, GREY, WHITE, BLUE),
        turn=22,
    ),
    "automobile": Thing(
        parts=(
            (1, (0.02, 0.5, 0.98, 0.5, 1, 0.74, 0, 0.74)),
            (0.9, (0.2, 0.5, 0.32, 0.3, 0.7, 0.3, 0.84, 0.5)),
            (1.5, (0.28, 0.48, 0.36, 0.34, 0.66, 0.34, 0.74, 0.48)),
            *_WHEELS,
        ),
        scenes=("road", "road", "field"),
        colours=(RED, BLUE, WHITE, GREY, BLACK, YELLOW),
    ),
    "bird": Thing(
        parts=(
            (1, (0.2, 0.36, 0.76, 0.7)),
            (1, (0.64, 0.2, 0.88, 0.46)),
            (0.6, (0.86, 0.28, 1, 0.34, 0.86, 0.38)),
            (0.7, (0.28, 0.42, 0.6, 0.6)),
            (0.8, (0.24, 0.5, 0.0, 0.66, 0.26, 0.62)),
            (0.4, (0.46, 0.68, 0.5, 0.68, 0.5, 0.88, 0.46, 0.88)),
        ),
        scenes=("sky", "field", "wood"),
        colours=(BROWN, GREY, BLUE, RED, BLACK, SAND),
        turn=20,
    ),
    "cat": Thing(
        parts=(
            (1, (0.3, 0.4, 0.72, 0.98)),
            (0.9, (0.68, 0.86, 0.98, 0.5, 0.94, 0.46, 0.62, 0.78)),
            (1.05, (0.24, 0.12, 0.7, 0.52)),
            (1, (0.26, 0.28, 0.26, 0.0, 0.44, 0.16)),
            (1, (0.52, 0.16, 0.68, 0.0, 0.69, 0.28)),
            (0.25, (0.34, 0.26, 0.42, 0.34)),
            (0.25, (0.53, 0.26, 0.61, 0.34)),
        ),
        scenes=("room", "room", "field"),
        colours=(GREY, BLACK, SAND, RUST, WHITE, BROWN),
    ),
    "deer": Thing(
        parts=(
            (1, (0.14, 0.42, 0.68, 0.66)),
            *_legs((0.18, 0.27, 0.53, 0.6), top=0.6),
            (1, (0.58, 0.5, 0.68, 0.56, 0.82, 0.26, 0.74, 0.24)),
            (1, (0.7, 0.18, 0.94, 0.32)),
            (0.6, (0.74, 0.2, 0.64, 0.0, 0.67, 0.0, 0.78, 0.2)),
            (0.6, (0.78, 0.2, 0.88, 0.0, 0.91, 0.0, 0.82, 0.2)),
        ),
        scenes=("wood", "field"),
        colours=(BROWN, SAND, RUST),
    ),
    "dog": Thing(
        parts=(
            (1, (0.12, 0.44, 0.72, 0.76)),
            *_legs((0.16, 0.26, 0.52, 0.62), top=0.68),
            (1.05, (0.56, 0.2, 0.88, 0.54)),
            (1.1, (0.76, 0.34, 1, 0.5)),
            (0.6, (0.56, 0.22, 0.66, 0.54)),
            (0.9, (0.16, 0.54, 0.0, 0.3, 0.05, 0.28, 0.22, 0.48)),
        ),
        scenes=("field", "room"),
        colours=(BROWN, BLACK, SAND, WHITE, RUST, GREY),
    ),
    "frog": Thing(
        parts=(
            (1, (0.12, 0.36, 0.88, 0.86)),
            (0.8, (0.0, 0.56, 0.3, 0.92)),
            (0.8, (0.7, 0.56, 1, 0.92)),
            (1.1, (0.24, 0.22, 0.44, 0.44)),
            (1.1, (0.56, 0.22, 0.76, 0.44)),
            (0.1, (0.3, 0.28, 0.38, 0.36)),
            (0.1, (0.62, 0.28, 0.7, 0.36)),
        ),
        scenes=("wood", "field", "room"),
        colours=(GREEN, GREEN, BROWN, SAND),
        turn=15,
    ),
    "horse": Thing(
        parts=(
            (1, (0.12, 0.36, 0.72, 0.68)),
            *_legs((0.16, 0.26, 0.54, 0.63), top=0.6),
            (1, (0.54, 0.48, 0.72, 0.56, 0.88, 0.2, 0.72, 0.14)),
            (1, (0.72, 0.12, 0.84, 0.1, 1, 0.34, 0.92, 0.4)),
            (0.4, (0.54, 0.42, 0.6, 0.42, 0.76, 0.12, 0.7, 0.12)),
            (0.4, (0.16, 0.42, 0.0, 0.72, 0.06, 0.74, 0.2, 0.5)),
        ),
        scenes=("field", "field", "wood"),
        colours=(BROWN, BLACK, RUST, WHITE, GREY),
    ),
    "ship": Thing(
        parts=(
            (1, (0.0, 0.6, 1, 0.6, 0.86, 0.84, 0.12, 0.84)),
            (1.4, (0.26, 0.42, 0.76, 0.42, 0.76, 0.6, 0.26, 0.6)),
            (0.9, (0.44, 0.18, 0.56, 0.18, 0.56, 0.42, 0.44, 0.42)),
            (0.5, (0.66, 0.1, 0.69, 0.1, 0.69, 0.42, 0.66, 0.42)),
        ),
        scenes=("water", "water", "water", "sky"),
        colours=(BLUE, RED, WHITE, BLACK, GREY),
        turn=5,
    ),
    "truck": Thing(
        parts=(
            (1, (0.02, 0.2, 0.66, 0.2, 0.66, 0.72, 0.02, 0.72)),
            (0.8, (0.68, 0.38, 0.88, 0.38, 1, 0.54, 1, 0.74, 0.68, 0.74)),
            (1.5, (0.74, 0.42, 0.86, 0.42, 0.94, 0.54, 0.74, 0.54)),
            *_WHEELS,
            (0.15, (0.36, 0.62, 0.56, 0.84)),
        ),
        scenes=("road", "road", "field"),
        colours=(RED, BLUE, WHITE, GREY, YELLOW, GREEN),
    ),
}
# Upper colour, lower colour and the strength of the noise on both.
SCENES = {
    "sky": ((120, 165, 215), (195, 215, 235), 8),
    "road": ((165, 175, 180), (105, 103, 100), 12),
    "field": ((150, 180, 190), (105, 135, 65), 18),
    "wood": ((75, 95, 55), (85, 80, 50), 30),
    "room": ((170, 150, 130), (125, 100, 80), 16),
    "water": ((170, 195, 215), (60, 100, 130), 14),
}
MISPLACED, CLUTTERED, BLURRED = 0.05, 0.35, 0.3


def draw_thing(name: str, rng: Random) -> Image.Image:
    """Draw a picture (32 x 32) of a thing of this class, in a drawn place, turn and colour."""
    thing, side = THINGS[name], SIDE * OVERSAMPLING
    scenes = list(SCENES) if rng.random() < MISPLACED else list(thing.scenes)
    image = Image.fromarray(_scene(scenes[rng.integers(len(scenes))], side, rng))
    canvas = ImageDraw.Draw(image)
    if rng.random() < CLUTTERED:
        _clutter(canvas, side, rng)
    colour = np.array(thing.colours[rng.integers(len(thing.colours))]) + rng.normal(0, 16, 3)
    frame = _frame(thing, side, rng)
    for shade, numbers in thing.parts:
        outline = _outline(numbers) + rng.normal(0, 0.012, 2)
        points = (outline @ frame[:2] + frame[2]).ravel().tolist()
        canvas.polygon(points, fill=_to_rgb(colour * shade * rng.uniform(0.9, 1.1)))
    image = image.reduce(OVERSAMPLING)
    if rng.random() < BLURRED:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.8)))
    pixels = np.asarray(image) * rng.uniform(0.75, 1.15) + rng.normal(0, 5, (SIDE, SIDE, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _scene(name: str, side: int, rng: Random) -> np.ndarray:
    """Draw a background (side, side, 3), uint8, with a horizon."""
    upper, lower, restless = SCENES[name]
    horizon = rng.uniform(0.35, 0.75) * side
    below = 1 / (1 + np.exp(-(np.arange(side) - horizon) / (0.04 * side)))[:, None, None]
    pixels = np.array(upper) * (1 - below) + np.array(lower) * below
    noise = clouds((side, side), 7, rng) + 0.6 * clouds((side, side), 20, rng)
    pixels = pixels + restless * noise[..., None] + rng.normal(0, 12, 3)
    scene: np.ndarray = pixels.clip(0, 255).astype(np.uint8)
    return scene


def _clutter(canvas: ImageDraw.ImageDraw, side: int, rng: Random) -> None:
    """Draw a few nameless shapes for the background."""
    for _ in range(rng.integers(1, 4)):
        middle, reach = rng.uniform(0, side, 2), rng.uniform(0.04, 0.16, 2) * side
        box = (*(middle - reach).tolist(), *(middle + reach).tolist())
        draw = canvas.ellipse if rng.random() < 0.5 else canvas.rectangle
        draw(box, fill=_to_rgb(rng.uniform(40, 210, 3)))


def _frame(thing: Thing, side: int, rng: Random) -> Floats:
    """Draw the matrix (3, 2) that lays a box of 1 x 1 into the picture, turned and mirrored."""
    angle = np.radians(rng.normal(0, thing.turn))
    size = rng.uniform(0.7, 1) * side
    mirrored = size if rng.random() < 0.5 else -size
    stretch = rng.uniform(0.85, 1.15)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    matrix: Floats = np.diag([mirrored, size * stretch]) @ turn
    middle = side / 2 + rng.normal(0, 0.05, 2) * side
    return np.vstack([matrix, middle - np.array([0.5, 0.5]) @ matrix])


def _outline(numbers: tuple[float, ...]) -> Floats:
    """Compute the corners (n, 2) of a part: four numbers are the box of an ellipse."""
    if len(numbers) > 4:
        return np.array(numbers).reshape(-1, 2)
    left, top, right, bottom = numbers
    turns = np.linspace(0, 2 * np.pi, ROUND_POINTS, endpoint=False)
    x = (left + right) / 2 + (right - left) / 2 * np.cos(turns)
    y = (top + bottom) / 2 + (bottom - top) / 2 * np.sin(turns)
    return np.stack([x, y], axis=1)


def _to_rgb(colour: Floats) -> tuple[int, ...]:
    return tuple(colour.clip(0, 255).astype(int).tolist())
