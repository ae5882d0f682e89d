"""The practice slides: 60 patients, each with a stain and a mix of grades of its own.

An image-level split would leak: the stain tells the slide, and the slide its likely grade.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePosixPath

import numpy as np

from objectives.practice.canvas import Floats, Random
from objectives.practice.drawing import Drawing, encoded
from objectives.practice.histology import draw_patch
from objectives.practice.tissue import Stain, draw_stain

PATCH_PIXELS = 64
# Labels 0 to 3: the published counts of patches. 4 and 5, which the study skips, about 1 % each.
COUNTS = (19_695, 26_816, 8_461, 815, 560, 560)
FEWEST = 6  # of any label: enough for three splits
MOST_SLIDES, FEWEST_SLIDES, PATCHES_PER_SLIDE = 60, 20, 9


@dataclass(frozen=True)
class Slide:
    """One patient's slide. name: as scanner files are called. mix: how likely each label is."""

    name: str
    stain: Stain
    mix: Floats


def plan_gleason(images: int, seed: int) -> list[Drawing]:
    """Plan so many patches with their file names, the same ones for the same seed."""
    rng = np.random.default_rng([seed])
    slide_count = int(np.clip(images // PATCHES_PER_SLIDE, FEWEST_SLIDES, MOST_SLIDES))
    slides = [_draw_slide(patient, rng) for patient in range(slide_count)]
    lefts = rng.choice(100 * images, images, replace=False)  # no two patches share a name
    patches = [
        (label, slides[at])
        for label, count in enumerate(_label_counts(images))
        for at in _choose_slides(slides, label, count, rng)
    ]
    return [
        _plan_patch(label, slide, lefts[number], (seed, number))
        for number, (label, slide) in enumerate(patches)
    ]


def rename(drawing: Drawing, like: Drawing, number: int) -> Drawing:
    """Give the patch as one of the slide and label of another, at a place of its own."""
    _, _, *place, _ = PurePosixPath(drawing.path).stem.rsplit("_", 5)
    name = _name(like.group, "_".join((str(10**9 + number), *place)), like.label)
    return replace(
        like, path=PurePosixPath(like.path).with_name(name).as_posix(), draw=drawing.draw
    )


def _plan_patch(label: int, slide: Slide, left: int, seed: tuple[int, int]) -> Drawing:
    top = np.random.default_rng(seed).integers(90_000)
    name = _name(slide.name, f"{left}_{top}_{PATCH_PIXELS}_{PATCH_PIXELS}", str(label))
    return Drawing(name, str(label), slide.name, partial(_draw, label, slide.stain, seed))


def _name(slide: str, place: str, label: str) -> str:
    return f"{slide}-multires.tif_{place}_{label}.png"


def _draw(label: int, stain: Stain, seed: tuple[int, int]) -> bytes:
    rng = np.random.default_rng(seed)
    rng.integers(90_000)  # the name's
    return encoded(draw_patch(label, stain, PATCH_PIXELS, rng), "png")


def _draw_slide(patient: int, rng: Random) -> Slide:
    day = np.datetime64("2018-01-01") + rng.integers(365)
    name = f"{1700 + patient:06d}-{rng.integers(1, 4):06d}_01_{str(day).replace('-', '')}"
    return Slide(name, draw_stain(rng), rng.dirichlet(np.full(len(COUNTS), 0.5)))


def _label_counts(images: int) -> list[int]:
    """Share the images out as published, the commonest label making up for the rounding."""
    counts = [max(FEWEST, round(images * count / sum(COUNTS))) for count in COUNTS]
    counts[int(np.argmax(COUNTS))] += images - sum(counts)
    return counts


def _choose_slides(slides: Sequence[Slide], label: int, count: int, rng: Random) -> Sequence[int]:
    """Give the slide of each patch of this label; a rare label's patches lie on as many slides."""
    likely = np.array([slide.mix[label] for slide in slides])
    repeat = count > len(slides) // 2
    chosen: list[int] = rng.choice(len(slides), count, repeat, likely / likely.sum()).tolist()
    return chosen
