"""Practice histology: the look of each Gleason grade, drawn more or less clearly."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from objectives.practice.canvas import Floats, Random, Range, between
from objectives.practice.tissue import FIELD, Stain, Tissue, blob, ellipses

# The shares of patches that are harder to classify than a textbook's.
BORDERLINE, DISTRACTED, BLURRED, MISLABELLED = 0.25, 0.35, 0.4, 0.03


@dataclass(frozen=True, kw_only=True)
class Morphology:
    """The look of one grade: a pair is the range that each patch draws from. Lengths: see FIELD."""

    glands: Range  # number of epithelial islands
    radius: Range  # of a gland
    gap: float  # least space between two glands, negative where they fuse
    lumina: Range  # number of holes in each gland
    lumen: Range  # radius of a hole, as a share of the gland's
    folds: float  # waviness of the lining
    layers: float  # rows of nuclei along the lining; 0 fills the gland with nuclei
    singles: Range  # number of cells outside of glands
    nucleus: float  # radius
    shade: float  # darkness of the cytoplasm
    secretion: float = 0  # 1 where the lumen holds some


BENIGN = Morphology(
    glands=(1, 3),
    radius=(14, 25),
    gap=2,
    lumina=(1, 1),
    lumen=(0.5, 0.64),
    folds=0.2,
    layers=2,
    singles=(0, 0),
    nucleus=1.6,
    shade=0.35,
)
GLEASON_3 = Morphology(
    glands=(6, 10),
    radius=(5.5, 8.5),
    gap=1.2,
    lumina=(1, 1),
    lumen=(0.3, 0.5),
    folds=0.05,
    layers=1,
    singles=(0, 0),
    nucleus=1.6,
    shade=0.6,
)
GLEASON_4 = Morphology(
    glands=(2, 3),
    radius=(18, 28),
    gap=-12,
    lumina=(4, 8),
    lumen=(0.1, 0.18),
    folds=0.08,
    layers=0,
    singles=(0, 3),
    nucleus=1.7,
    shade=0.75,
)
SINGLE_CELLS = Morphology(
    glands=(0, 0),
    radius=(3, 5),
    gap=1,
    lumina=(0, 0),
    lumen=(0.1, 0.2),
    folds=0.05,
    layers=0,
    singles=(26, 48),
    nucleus=1.8,
    shade=0.7,
)
SECRETIONS = Morphology(
    glands=(1, 1),
    radius=(19, 26),
    gap=0,
    lumina=(1, 1),
    lumen=(0.4, 0.55),
    folds=0.08,
    layers=0,
    singles=(0, 4),
    nucleus=1.8,
    shade=0.75,
    secretion=1,
)
SOLID = Morphology(
    glands=(2, 3),
    radius=(19, 28),
    gap=-12,
    lumina=(0, 0),
    lumen=(0.1, 0.2),
    folds=0.08,
    layers=0,
    singles=(4, 12),
    nucleus=1.9,
    shade=0.75,
)
GRADES = (BENIGN, GLEASON_3, GLEASON_4, SINGLE_CELLS, SECRETIONS, SOLID)  # in label order


def draw_patch(label: int, stain: Stain, size: int, rng: Random) -> Image.Image:
    """Draw a patch (size x size) of the label's grade.

    Some patches are borderline, blurred or contain distractors; a few show another grade.
    """
    shown = _neighbour(label, rng) if rng.random() < MISLABELLED else label
    grade = GRADES[shown]
    if rng.random() < BORDERLINE:
        grade = between(grade, GRADES[_neighbour(shown, rng)], rng.uniform(0.2, 0.45))
    tissue = Tissue(size, rng)
    grow_stroma(tissue)
    grow_epithelium(tissue, grade)
    if rng.random() < DISTRACTED:
        DISTRACTORS[rng.integers(len(DISTRACTORS))](tissue)
    image = tissue.photograph(stain)
    if rng.random() < BLURRED:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.9) * size / FIELD))
    return image


def grow_stroma(tissue: Tissue) -> None:
    """Lay spindle nuclei along the fibres."""
    count = int(tissue.rng.integers(8, 24))
    radii = tissue.rng.uniform((2.0, 0.5), (3.4, 0.9), (count, 2))
    angles = tissue.fibre_angle + tissue.rng.normal(0, 0.25, count)
    tissue.put_nuclei(tissue.anywhere(count), radii, angles)


def grow_epithelium(tissue: Tissue, grade: Morphology) -> None:
    """Grow the glands of a grade with their lumina and nuclei, then its single cells."""
    shade = int(255 * grade.shade * tissue.rng.uniform(0.8, 1.2))
    glands = _find_room(tissue, grade)
    outlines = [blob(centre, radius, tissue.rng, waves=3, depth=0.09) for centre, radius in glands]
    for outline in outlines:
        tissue.cut(outline)
        tissue.paint(tissue.cytoplasm, [outline], min(shade, 255))
    for (centre, radius), outline in zip(glands, outlines, strict=True):
        _open_lumina(tissue, grade, centre, radius)
        if grade.layers >= 0.5:
            _line_with_nuclei(tissue, grade, centre, outline)
    if grade.layers < 0.5:
        _fill_with_nuclei(tissue, grade)
    _scatter_cells(tissue, grade, min(shade, 255))


def _find_room(tissue: Tissue, grade: Morphology) -> list[tuple[Floats, float]]:
    """Find centre and radius of glands that keep the grade's gap; one without room is left out."""
    placed: list[tuple[Floats, float]] = []
    for _ in range(round(tissue.rng.uniform(*grade.glands))):
        for _ in range(12):
            radius = tissue.rng.uniform(*grade.radius)
            centre = tissue.anywhere(1, margin=-0.15 * radius)[0]
            if all(
                np.hypot(*(centre - other)) > radius + reach + grade.gap for other, reach in placed
            ):
                placed.append((centre, radius))
                break
    return placed


def _open_lumina(tissue: Tissue, grade: Morphology, centre: Floats, radius: float) -> None:
    """Punch the lumina: one in the middle, or several spread over the gland."""
    count = round(tissue.rng.uniform(*grade.lumina))
    spread = 0 if count == 1 else 0.72
    for place in centre + radius * spread * tissue.rng.uniform(-1, 1, (count, 2)):
        size = radius * tissue.rng.uniform(*grade.lumen)
        outline = blob(place, size, tissue.rng, waves=7, depth=grade.folds)
        tissue.cut(outline)
        tissue.paint(tissue.lumen, [outline], 255)
        if grade.secretion > 0.5:
            tissue.paint(tissue.secretion, [place + (outline - place) * 0.8], 220)


def _line_with_nuclei(tissue: Tissue, grade: Morphology, centre: Floats, outline: Floats) -> None:
    """Line a gland with nuclei: tall ones inside and, where it has two layers, flat ones around."""
    radius = np.hypot(*(outline - centre).T).mean()
    for layer in range(round(grade.layers)):
        share = 0.78 if layer == 0 else 0.96
        count = int(2 * np.pi * radius * share / (2.3 * grade.nucleus))
        at = np.linspace(0, len(outline), count, endpoint=False) + tissue.rng.normal(0, 0.25, count)
        arms = (outline - centre)[at.astype(int) % len(outline)] * share
        places = centre + arms + tissue.rng.normal(0, 0.35, (count, 2))
        shape = (1.15, 0.85) if layer == 0 else (0.5, 1.1)
        radii = grade.nucleus * np.array(shape) * tissue.rng.uniform(0.85, 1.15, (count, 2))
        tissue.put_nuclei(places, radii, np.arctan2(arms[:, 1], arms[:, 0]))


def _fill_with_nuclei(tissue: Tissue, grade: Morphology) -> None:
    """Fill the islands with crowded nuclei, wherever there is cytoplasm."""
    step = 2.45 * grade.nucleus
    grid = np.mgrid[0:FIELD:step, 0:FIELD:step].reshape(2, -1).T
    places = grid + tissue.rng.normal(0, 0.3 * step, grid.shape)
    inside = np.asarray(tissue.cytoplasm)
    at = (places * tissue.unit).astype(int).clip(0, len(inside) - 1)
    places = places[inside[at[:, 1], at[:, 0]] > 0]
    radii = grade.nucleus * tissue.rng.uniform(0.75, 1.2, (len(places), 2))
    tissue.put_nuclei(places, radii, tissue.rng.uniform(0, np.pi, len(places)))


def _scatter_cells(tissue: Tissue, grade: Morphology, shade: int) -> None:
    """Scatter single cells, some of them in files, each with a little cytoplasm of its own."""
    count = round(tissue.rng.uniform(*grade.singles))
    places = tissue.anywhere(count)
    in_file = tissue.rng.random(count) < 0.4
    direction = np.array([np.cos(tissue.fibre_angle), np.sin(tissue.fibre_angle)])
    for follower in np.flatnonzero(in_file)[1:]:
        places[follower] = places[follower - 1] + direction * 2.6 * grade.nucleus
    angles = tissue.rng.uniform(0, np.pi, count)
    radii = grade.nucleus * tissue.rng.uniform(0.85, 1.25, (count, 2))
    tissue.paint(tissue.cytoplasm, list(ellipses(places, radii * 1.6, angles)), shade)
    tissue.put_nuclei(places, radii, angles)


def infiltrate(tissue: Tissue) -> None:
    """Distract with a cluster of lymphocytes: small, round, dark."""
    count = int(tissue.rng.integers(10, 24))
    places = tissue.anywhere(1) + tissue.rng.normal(0, 6, (count, 2))
    tissue.put_nuclei(places, np.full((count, 2), 1.2), np.zeros(count))


def bleed(tissue: Tissue) -> None:
    """Distract with a small vessel full of red cells."""
    centre, radius = tissue.anywhere(1), tissue.rng.uniform(4, 7)
    wall, inside = (blob(centre[0], radius, tissue.rng, waves=2, depth=0.1) for _ in range(2))
    tissue.cut(wall)
    tissue.paint(tissue.lumen, [inside], 230)
    cells = centre + tissue.rng.normal(0, radius / 2.4, (9, 2))
    tissue.paint(tissue.secretion, list(ellipses(cells, np.full((9, 2), 1.3), np.zeros(9))), 255)


def tear(tissue: Tissue) -> None:
    """Distract with a slit where the section came off the glass."""
    radii = tissue.rng.uniform((12, 0.6), (26, 1.8), (1, 2))
    slit = ellipses(tissue.anywhere(1), radii, np.array([tissue.fibre_angle]))[0]
    tissue.cut(slit)
    tissue.paint(tissue.lumen, [slit], 255)


DISTRACTORS = (infiltrate, bleed, tear)


def _neighbour(label: int, rng: Random) -> int:
    """Draw a grade that this one is mistaken for."""
    return int(rng.choice([other for other in (label - 1, label + 1) if 0 <= other < len(GRADES)]))
