"""Practice photographs of skin: what each diagnosis looks like, on the skin of many people."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from objectives.practice.canvas import Canvas, Floats, Random, Range, between

# What each takes of red, green and blue light; deep pigment looks blue.
MELANIN, BLOOD = np.array((0.45, 0.85, 1.15)), np.array((0.08, 0.75, 0.6))
DEEP_PIGMENT = np.array((1.1, 0.85, 0.5))
KERATIN, CYST = np.array((0.93, 0.88, 0.72)), np.array((0.95, 0.9, 0.8))

# How often a lesion is made harder than the textbook's.
BORDERLINE, BLURRED, MISLABELLED = 0.3, 0.35, 0.03


@dataclass(frozen=True)
class Growth:
    """How one diagnosis grows; a pair is a range that each lesion draws from.

    radius: as a share of half the picture. waviness, soft: of its border. melanin, blood: how much
    of each dye. mottled: how unevenly they lie. deep: share of blue pigment. keratin: share of
    scale and crust. vessels, globules, cysts: how many.
    """

    radius: Range
    waviness: Range
    soft: Range
    melanin: Range
    blood: Range
    mottled: Range
    deep: Range = (0, 0)
    keratin: Range = (0, 0)
    vessels: Range = (0, 0)
    globules: Range = (0, 0)
    cysts: Range = (0, 0)


GROWTHS = {
    "ACK": Growth(
        *((0.25, 0.5), (0.06, 0.12), (0.15, 0.35), (0, 0.2), (0.3, 0.7), (0.2, 0.5)),
        keratin=(0.15, 0.4),
    ),
    "BCC": Growth(
        *((0.25, 0.5), (0.02, 0.07), (0.06, 0.15), (0, 0.25), (0.3, 0.7), (0.05, 0.2)),
        *((0, 0.3), (0, 0.15), (3, 7), (0, 3)),
    ),
    "MEL": Growth(
        *((0.35, 0.6), (0.06, 0.12), (0.03, 0.1), (0.8, 1.5), (0.1, 0.4), (0.35, 0.7)),
        *((0.3, 0.8), (0, 0.05), (0, 1), (2, 8)),
    ),
    "NEV": Growth(
        *((0.2, 0.4), (0.01, 0.04), (0.04, 0.1), (0.6, 1.2), (0, 0.2), (0.05, 0.2)),
        globules=(0, 5),
    ),
    "SCC": Growth(
        *((0.28, 0.55), (0.03, 0.08), (0.06, 0.18), (0, 0.2), (0.5, 1), (0.1, 0.4)),
        *((0, 0), (0.35, 0.7), (0, 3)),
    ),
    "SEK": Growth(
        *((0.28, 0.5), (0.03, 0.07), (0.02, 0.05), (0.4, 1.1), (0, 0.15), (0.15, 0.4)),
        *((0, 0.1), (0, 0.2), (0, 0), (2, 8), (3, 9)),
    ),
}
# Which a diagnosis is mistaken for.
LIKE = {"ACK": "SCC", "BCC": "SCC", "MEL": "NEV", "NEV": "SEK", "SCC": "BCC", "SEK": "MEL"}


@dataclass(frozen=True)
class Skin:
    """One patient's skin. tone: Fitzpatrick's type, 1 to 6. ruddy: blood in it. hairs: how many."""

    tone: int
    melanin: float
    ruddy: float
    rough: float
    hairs: float


def draw_skin(rng: Random) -> Skin:
    """Give a patient the skin that all photographs of them show."""
    tone = int(rng.choice(np.arange(1, 7), p=(0.14, 0.36, 0.28, 0.12, 0.06, 0.04)))
    melanin = 0.08 + 0.13 * (tone - 1) + rng.uniform(-0.05, 0.05)
    return Skin(tone, melanin, rng.uniform(0.1, 0.45), rng.uniform(0.01, 0.05), rng.gamma(0.7, 3))


def draw_growth(label: str, rng: Random) -> Growth:
    """Give a lesion of a diagnosis its own form, with its share of trouble: all ranges closed."""
    shown = LIKE[label] if rng.random() < MISLABELLED else label
    growth = GROWTHS[shown]
    if rng.random() < BORDERLINE:
        growth = between(growth, GROWTHS[LIKE[shown]], rng.uniform(0.2, 0.5))
    fixed = {name: rng.uniform(low, high) for name, (low, high) in vars(growth).items()}
    return Growth(**{name: (value, value) for name, value in fixed.items()})


def photograph(growth: Growth, skin: Skin, size: int, rng: Random) -> Image.Image:
    """Give one photograph (size x size) of a lesion; place and lamp differ each time."""
    form = {name: low * rng.uniform(0.9, 1.1) for name, (low, _) in vars(growth).items()}
    canvas = Canvas(size, size, rng)
    _grow_skin(canvas, skin)
    x, y = rng.normal(0, 0.12, 2)
    body = canvas.blob(x, y, form["radius"], form["waviness"], form["soft"])
    _colour(canvas, form, body, x, y)
    _mark(canvas, form, x, y)
    _lay_hairs(canvas, skin)
    if rng.random() < 0.3:  # the tube of a dermatoscope
        canvas.pixels *= (
            1 - 0.9 * (np.hypot(canvas.x, canvas.y) > rng.uniform(1.05, 1.25))[..., None]
        )
    image = canvas.photograph(rng.uniform(0.85, 1.1) * rng.normal(1, 0.04, 3), noise=0.015)
    if rng.random() < BLURRED:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.9) * size / 64))
    return image


def _grow_skin(canvas: Canvas, skin: Skin) -> None:
    canvas.pixels[:] = (0.97, 0.88, 0.8)
    uneven = 1 + skin.rough * 4 * canvas.clouds(5)
    canvas.absorb(MELANIN, skin.melanin * uneven)
    canvas.absorb(BLOOD, skin.ruddy * uneven)
    canvas.pixels *= 1 + (skin.rough * canvas.clouds(24))[..., None]
    slope = canvas.rng.normal(0, 0.08, 2)
    canvas.pixels *= 1 + (slope[0] * canvas.x + slope[1] * canvas.y)[..., None]


def _colour(canvas: Canvas, form: dict[str, float], body: Floats, x: float, y: float) -> None:
    """Lay dyes, blue patches and scale over the body of a lesion."""
    uneven = (1 + form["mottled"] * canvas.clouds(6)).clip(0.1)
    canvas.absorb(MELANIN, body * form["melanin"] * uneven)
    canvas.absorb(BLOOD, body * form["blood"] * (1 + form["mottled"] * canvas.clouds(5)).clip(0.1))
    patches = canvas.clouds(4) > 1.2 - 1.6 * form["deep"]
    canvas.absorb(DEEP_PIGMENT, 0.7 * body * patches * min(1, 2 * form["deep"]))
    # Scale lies thickest in the middle, where a crust forms.
    middle = 1 - np.hypot(canvas.x - x, canvas.y - y) / form["radius"]
    flakes = canvas.clouds(14) + 0.8 * middle > 1.8 - 2.4 * form["keratin"]
    canvas.cover(KERATIN, 0.7 * body * flakes * min(1, 4 * form["keratin"]))


def _mark(canvas: Canvas, form: dict[str, float], x: float, y: float) -> None:
    """Add what stands out on the lesion: vessels, dark globules, pale cysts."""
    rng = canvas.rng
    for _ in range(round(form["vessels"])):
        start = np.array((x, y)) + rng.normal(0, 0.4 * form["radius"], 2)
        angle, bend = rng.uniform(0, 2 * np.pi), rng.normal(0, 1.5)
        canvas.absorb(BLOOD, canvas.line(start, angle, bend, form["radius"], 0.015))
    for kind, radius in (("globules", 0.05), ("cysts", 0.04)):
        for _ in range(round(form[kind])):
            left, top = np.array((x, y)) + rng.normal(0, 0.4 * form["radius"], 2)
            spot = canvas.blob(left, top, radius * rng.uniform(0.7, 1.4), 0.03, 0.03)
            if kind == "cysts":
                canvas.cover(CYST, 0.6 * spot)
            else:
                canvas.absorb(MELANIN, 0.9 * spot)


def _lay_hairs(canvas: Canvas, skin: Skin) -> None:
    rng = canvas.rng
    lie = rng.uniform(0, 2 * np.pi)
    for _ in range(rng.poisson(skin.hairs)):
        start, angle = rng.uniform(-1.2, 1.2, 2), lie + rng.normal(0, 0.4)
        hair = canvas.line(start, angle, rng.normal(0, 0.4), rng.uniform(0.4, 1.4), 0.012)
        canvas.absorb(MELANIN, 1.3 * hair)
