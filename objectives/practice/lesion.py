"""Practice photographs of skin: the look of each diagnosis, on the skin of many people."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from objectives.practice.canvas import Canvas, Floats, Random, Range, between

# The share of red, green and blue light that each absorbs; deep pigment looks blue.
MELANIN, BLOOD = np.array((0.45, 0.85, 1.15)), np.array((0.08, 0.75, 0.6))
DEEP_PIGMENT = np.array((1.1, 0.85, 0.5))
KERATIN, CYST = np.array((0.93, 0.88, 0.72)), np.array((0.95, 0.9, 0.8))

# The shares of lesions that are harder to classify than a textbook's.
BORDERLINE, BLURRED, MISLABELLED = 0.3, 0.35, 0.03


@dataclass(frozen=True, kw_only=True)
class Growth:
    """The look of one diagnosis: a pair is the range that each lesion draws from."""

    radius: Range  # as a share of half the picture
    waviness: Range  # of the border
    soft: Range  # width of the border
    melanin: Range  # density of the dye
    blood: Range  # density of the dye
    mottled: Range  # unevenness of both dyes
    deep: Range = (0, 0)  # share of blue pigment
    keratin: Range = (0, 0)  # share of scale and crust
    vessels: Range = (0, 0)  # number
    globules: Range = (0, 0)  # number
    cysts: Range = (0, 0)  # number


GROWTHS = {
    "ACK": Growth(
        radius=(0.25, 0.5),
        waviness=(0.06, 0.12),
        soft=(0.15, 0.35),
        melanin=(0, 0.2),
        blood=(0.3, 0.7),
        mottled=(0.2, 0.5),
        keratin=(0.15, 0.4),
    ),
    "BCC": Growth(
        radius=(0.25, 0.5),
        waviness=(0.02, 0.07),
        soft=(0.06, 0.15),
        melanin=(0, 0.25),
        blood=(0.3, 0.7),
        mottled=(0.05, 0.2),
        deep=(0, 0.3),
        keratin=(0, 0.15),
        vessels=(3, 7),
        globules=(0, 3),
    ),
    "MEL": Growth(
        radius=(0.35, 0.6),
        waviness=(0.06, 0.12),
        soft=(0.03, 0.1),
        melanin=(0.8, 1.5),
        blood=(0.1, 0.4),
        mottled=(0.35, 0.7),
        deep=(0.3, 0.8),
        keratin=(0, 0.05),
        vessels=(0, 1),
        globules=(2, 8),
    ),
    "NEV": Growth(
        radius=(0.2, 0.4),
        waviness=(0.01, 0.04),
        soft=(0.04, 0.1),
        melanin=(0.6, 1.2),
        blood=(0, 0.2),
        mottled=(0.05, 0.2),
        globules=(0, 5),
    ),
    "SCC": Growth(
        radius=(0.28, 0.55),
        waviness=(0.03, 0.08),
        soft=(0.06, 0.18),
        melanin=(0, 0.2),
        blood=(0.5, 1),
        mottled=(0.1, 0.4),
        keratin=(0.35, 0.7),
        vessels=(0, 3),
    ),
    "SEK": Growth(
        radius=(0.28, 0.5),
        waviness=(0.03, 0.07),
        soft=(0.02, 0.05),
        melanin=(0.4, 1.1),
        blood=(0, 0.15),
        mottled=(0.15, 0.4),
        deep=(0, 0.1),
        keratin=(0, 0.2),
        globules=(2, 8),
        cysts=(3, 9),
    ),
}
# The diagnosis that each one is most easily mistaken for.
LIKE = {"ACK": "SCC", "BCC": "SCC", "MEL": "NEV", "NEV": "SEK", "SCC": "BCC", "SEK": "MEL"}


@dataclass(frozen=True, kw_only=True)
class Skin:
    """One patient's skin, the same in all photographs of them."""

    tone: int  # Fitzpatrick's type, 1 to 6
    melanin: float  # density
    ruddy: float  # density of blood
    rough: float  # deviation of the surface
    hairs: float  # mean number in a photograph


def draw_skin(rng: Random) -> Skin:
    """Draw the skin of a patient."""
    tone = int(rng.choice(np.arange(1, 7), p=(0.14, 0.36, 0.28, 0.12, 0.06, 0.04)))
    melanin = 0.08 + 0.13 * (tone - 1) + rng.uniform(-0.05, 0.05)
    return Skin(
        tone=tone,
        melanin=melanin,
        ruddy=rng.uniform(0.1, 0.45),
        rough=rng.uniform(0.01, 0.05),
        hairs=rng.gamma(0.7, 3),
    )


def draw_growth(label: str, rng: Random) -> Growth:
    """Draw the form of one lesion of this diagnosis: each of its ranges is a single value.

    Some lesions are borderline; a few show another diagnosis than their label.
    """
    shown = LIKE[label] if rng.random() < MISLABELLED else label
    growth = GROWTHS[shown]
    if rng.random() < BORDERLINE:
        growth = between(growth, GROWTHS[LIKE[shown]], rng.uniform(0.2, 0.5))
    fixed = {name: rng.uniform(low, high) for name, (low, high) in vars(growth).items()}
    return Growth(**{name: (value, value) for name, value in fixed.items()})


def photograph(growth: Growth, skin: Skin, size: int, rng: Random) -> Image.Image:
    """Draw one photograph (size x size) of a lesion; place and lamp differ each time."""
    form = {name: low * rng.uniform(0.9, 1.1) for name, (low, _) in vars(growth).items()}
    canvas = Canvas(size, size, rng)
    _grow_skin(canvas, skin)
    middle = rng.normal(0, 0.12, 2)
    border = {name: form[name] for name in ("waviness", "soft")}
    body = canvas.blob(middle[0], middle[1], form["radius"], **border)
    _lay_dyes(canvas, form, body, middle)
    _add_marks(canvas, form, middle)
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


def _lay_dyes(canvas: Canvas, form: dict[str, float], body: Floats, middle: Floats) -> None:
    """Lay dyes, blue patches and scale over the body of a lesion."""
    uneven = (1 + form["mottled"] * canvas.clouds(6)).clip(0.1)
    canvas.absorb(MELANIN, body * form["melanin"] * uneven)
    canvas.absorb(BLOOD, body * form["blood"] * (1 + form["mottled"] * canvas.clouds(5)).clip(0.1))
    patches = canvas.clouds(4) > 1.2 - 1.6 * form["deep"]
    canvas.absorb(DEEP_PIGMENT, 0.7 * body * patches * min(1, 2 * form["deep"]))
    # Scale lies thickest in the middle, where a crust forms.
    inside = 1 - np.hypot(canvas.x - middle[0], canvas.y - middle[1]) / form["radius"]
    flakes = canvas.clouds(14) + 0.8 * inside > 1.8 - 2.4 * form["keratin"]
    canvas.cover(KERATIN, 0.7 * body * flakes * min(1, 4 * form["keratin"]))


def _add_marks(canvas: Canvas, form: dict[str, float], middle: Floats) -> None:
    """Add vessels, dark globules and pale cysts."""
    rng = canvas.rng
    for _ in range(round(form["vessels"])):
        start = middle + rng.normal(0, 0.4 * form["radius"], 2)
        angle, bend = rng.uniform(0, 2 * np.pi), rng.normal(0, 1.5)
        vessel = canvas.line(start, angle, bend, length=form["radius"], width=0.015)
        canvas.absorb(BLOOD, vessel)
    for kind, radius in (("globules", 0.05), ("cysts", 0.04)):
        for _ in range(round(form[kind])):
            x, y = middle + rng.normal(0, 0.4 * form["radius"], 2)
            size = radius * rng.uniform(0.7, 1.4)
            spot = canvas.blob(x, y, size, waviness=0.03, soft=0.03)
            if kind == "cysts":
                canvas.cover(CYST, 0.6 * spot)
            else:
                canvas.absorb(MELANIN, 0.9 * spot)


def _lay_hairs(canvas: Canvas, skin: Skin) -> None:
    rng = canvas.rng
    lie = rng.uniform(0, 2 * np.pi)
    for _ in range(rng.poisson(skin.hairs)):
        start, angle = rng.uniform(-1.2, 1.2, 2), lie + rng.normal(0, 0.4)
        bend, length = rng.normal(0, 0.4), rng.uniform(0.4, 1.4)
        hair = canvas.line(start, angle, bend, length=length, width=0.012)
        canvas.absorb(MELANIN, 1.3 * hair)
