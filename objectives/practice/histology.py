"""Practice histology: what each Gleason grade looks like, drawn more or less clearly."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from objectives.practice.canvas import Floats, Random, Range, between
from objectives.practice.tissue import FIELD, Stain, Tissue, blob, ellipses

# How often a patch is made harder than the textbook's.
BORDERLINE, DISTRACTED, BLURRED, MISLABELLED = 0.25, 0.35, 0.4, 0.03


@dataclass(frozen=True)
class Morphology:
    """How one grade grows; a pair is a range that each patch draws from.

    glands: epithelial islands. radius: theirs. gap: least space between two, negative if they fuse.
    lumina: holes in each. lumen: their radius, as a share of the gland's. folds: waviness of the
    lining. layers: rows of nuclei along the lining; 0 fills the island with them. singles: cells
    on their own. nucleus: radius. shade: how dark the cytoplasm is. secretion: in the lumen.
    """

    glands: Range
    radius: Range
    gap: float
    lumina: Range
    lumen: Range
    folds: float
    layers: float
    singles: Range
    nucleus: float
    shade: float
    secretion: float = 0


BENIGN = Morphology((1, 3), (14, 25), 2, (1, 1), (0.5, 0.64), 0.2, 2, (0, 0), 1.6, 0.35)
GLEASON_3 = Morphology((6, 10), (5.5, 8.5), 1.2, (1, 1), (0.3, 0.5), 0.05, 1, (0, 0), 1.6, 0.6)
GLEASON_4 = Morphology((2, 3), (18, 28), -12, (4, 8), (0.1, 0.18), 0.08, 0, (0, 3), 1.7, 0.75)
SINGLE_CELLS = Morphology((0, 0), (3, 5), 1, (0, 0), (0.1, 0.2), 0.05, 0, (26, 48), 1.8, 0.7)
SECRETIONS = Morphology((1, 1), (19, 26), 0, (1, 1), (0.4, 0.55), 0.08, 0, (0, 4), 1.8, 0.75, 1)
SOLID = Morphology((2, 3), (19, 28), -12, (0, 0), (0.1, 0.2), 0.08, 0, (4, 12), 1.9, 0.75)
GRADES = (BENIGN, GLEASON_3, GLEASON_4, SINGLE_CELLS, SECRETIONS, SOLID)  # in label order


def draw_patch(label: int, stain: Stain, size: int, rng: Random) -> Image.Image:
    """Give a patch (size x size) that shows the label's grade, with its share of trouble."""
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
    glands = _place(tissue, grade)
    outlines = [blob(centre, radius, 3, 0.09, tissue.rng) for centre, radius in glands]
    for outline in outlines:
        tissue.cut(outline)
        tissue.paint(tissue.cytoplasm, [outline], min(shade, 255))
    for (centre, radius), outline in zip(glands, outlines, strict=True):
        _open_lumina(tissue, grade, centre, radius)
        if grade.layers >= 0.5:
            _line(tissue, grade, centre, outline)
    if grade.layers < 0.5:
        _fill(tissue, grade)
    _scatter(tissue, grade, min(shade, 255))


def _place(tissue: Tissue, grade: Morphology) -> list[tuple[Floats, float]]:
    """Find places for the glands that keep the grade's distance, dropping those that find none."""
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
        outline = blob(place, size, 7, grade.folds, tissue.rng)
        tissue.cut(outline)
        tissue.paint(tissue.lumen, [outline], 255)
        if grade.secretion > 0.5:
            tissue.paint(tissue.secretion, [place + (outline - place) * 0.8], 220)


def _line(tissue: Tissue, grade: Morphology, centre: Floats, outline: Floats) -> None:
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


def _fill(tissue: Tissue, grade: Morphology) -> None:
    """Fill the islands with crowded nuclei, wherever there is cytoplasm."""
    step = 2.45 * grade.nucleus
    grid = np.mgrid[0:FIELD:step, 0:FIELD:step].reshape(2, -1).T
    places = grid + tissue.rng.normal(0, 0.3 * step, grid.shape)
    inside = np.asarray(tissue.cytoplasm)
    at = (places * tissue.unit).astype(int).clip(0, len(inside) - 1)
    places = places[inside[at[:, 1], at[:, 0]] > 0]
    radii = grade.nucleus * tissue.rng.uniform(0.75, 1.2, (len(places), 2))
    tissue.put_nuclei(places, radii, tissue.rng.uniform(0, np.pi, len(places)))


def _scatter(tissue: Tissue, grade: Morphology, shade: int) -> None:
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
    tissue.cut(blob(centre[0], radius, 2, 0.1, tissue.rng))
    tissue.paint(tissue.lumen, [blob(centre[0], radius, 2, 0.1, tissue.rng)], 230)
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
    """Give a grade that this one is mistaken for."""
    return int(rng.choice([other for other in (label - 1, label + 1) if 0 <= other < len(GRADES)]))
