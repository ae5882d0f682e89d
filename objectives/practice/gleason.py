"""The practice slides: 60 patients with different stains and mixes of grades.

A split by image would leak: the stain identifies the slide, and the slide its likely grade.
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
    """The slide of one patient."""

    name: str  # in the style of the scanner's files
    stain: Stain
    mix: Floats  # (6,), probability of each label


def plan_gleason(images: int, seed: int) -> list[Drawing]:
    """Plan this many patches with their file names; the same seed plans the same ones."""
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
    """Return the patch under a new name: another drawing's slide and label, at a new place."""
    _, _, *place, _ = PurePosixPath(drawing.path).stem.rsplit("_", 5)
    name = _name(like.group, "_".join((str(10**9 + number), *place)), like.label)
    return replace(
        like, path=PurePosixPath(like.path).with_name(name).as_posix(), draw=drawing.draw
    )


def _plan_patch(label: int, slide: Slide, left: int, seed: tuple[int, int]) -> Drawing:
    top = np.random.default_rng(seed).integers(90_000)
    name = _name(slide.name, f"{left}_{top}_{PATCH_PIXELS}_{PATCH_PIXELS}", str(label))
    draw = partial(_patch, label, slide.stain, seed)
    return Drawing(path=name, label=str(label), group=slide.name, draw=draw)


def _name(slide: str, place: str, label: str) -> str:
    return f"{slide}-multires.tif_{place}_{label}.png"


def _patch(label: int, stain: Stain, seed: tuple[int, int]) -> bytes:
    rng = np.random.default_rng(seed)
    rng.integers(90_000)  # drawn for the name before
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
    """Draw the slide of each patch of this label; no slide has two patches of a rare label."""
    likely = np.array([slide.mix[label] for slide in slides])
    repeat = count > len(slides) // 2
    chosen: list[int] = rng.choice(len(slides), count, repeat, likely / likely.sum()).tolist()
    return chosen
