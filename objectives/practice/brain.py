"""Practice volumes of the brain: four MRI modalities of a glioma, and its segmentation."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from objectives.practice.canvas import Floats, Random, Range, between, soft_edge

GRID = (48, 48, 36)  # voxels of 1 mm
MODALITIES = ("flair", "t1", "t1ce", "t2")
# Brightness of each tissue in each modality. Enhancing tumour differs from solid in t1ce only.
BRIGHT = {
    "fluid": (0.15, 0.2, 0.2, 1.0),
    "grey": (0.62, 0.55, 0.55, 0.62),
    "white": (0.5, 0.75, 0.75, 0.45),
    "oedema": (0.95, 0.48, 0.5, 0.85),
    "solid": (0.8, 0.45, 0.5, 0.78),
    "necrosis": (0.45, 0.32, 0.35, 0.9),
    "enhancing": (0.8, 0.5, 1.15, 0.75),
}
NECROSIS, OEDEMA, ENHANCING = 1, 2, 4  # in the segmentation
BORDERLINE, MISLABELLED = 0.3, 0.04


@dataclass(frozen=True, kw_only=True)
class Glioma:
    """The look of one grade: a pair is the range that each patient draws from."""

    radius: Range  # of the core, as a share of half the head
    ragged: Range  # unevenness of the border
    oedema: Range  # reach in radii of the core
    necrosis: Range  # the dead inside, as a share of the radius
    enhancement: Range  # share of the rim that takes up contrast


GRADES = {
    "HGG": Glioma(
        radius=(0.16, 0.34),
        ragged=(0.1, 0.3),
        oedema=(1.5, 2.2),
        necrosis=(0.4, 0.75),
        enhancement=(0.45, 1),
    ),
    "LGG": Glioma(
        radius=(0.16, 0.34),
        ragged=(0.05, 0.2),
        oedema=(1.05, 1.5),
        necrosis=(0, 0.3),
        enhancement=(0, 0.3),
    ),
}


@dataclass(frozen=True)
class Scanner:
    """A site's scanner."""

    gain: float  # scale of its numbers
    noise: float  # deviation, as a share of white matter
    bias: float  # deviation of the shading across the head


def draw_scan(label: str, scanner: Scanner, rng: Random) -> Mapping[str, np.ndarray]:
    """Draw each modality and "seg" as int16 (48, 48, 36), 0 outside the brain."""
    space = np.moveaxis(np.indices(GRID), 0, -1)
    space = 2 * (space + 0.5) / np.array(GRID) - 1  # -1 to 1 along each axis
    axes = np.array((0.72, 0.9, 0.82)) * rng.normal(1, 0.03, 3)
    depth = 1 - np.linalg.norm(space / axes, axis=-1) + 0.03 * _clouds(3, rng)
    shares = _tissues(space, depth, rng)
    seg = _grow(shares, _draw_glioma(label, rng), space=space, depth=depth, rng=rng)
    brain = depth > 0
    scans = {"seg": np.where(brain, seg, 0).astype(np.int16)}
    for at, modality in enumerate(MODALITIES):
        bright = np.sum([shares[tissue] * BRIGHT[tissue][at] for tissue in shares], axis=0)
        shading = 1 + space @ rng.normal(0, scanner.bias, 3)
        noise = scanner.noise * rng.standard_normal(GRID)
        gain = 420 * scanner.gain * rng.uniform(0.8, 1.25)  # of each sequence: z-scores undo it
        values = (bright * shading + noise).clip(0.02) * gain
        scans[modality] = np.where(brain, values, 0).astype(np.int16)
    return scans


def _tissues(space: Floats, depth: Floats, rng: Random) -> dict[str, Floats]:
    """Draw the share of each healthy tissue in each voxel."""
    folds = soft_edge(0.13 - depth + 0.07 * _clouds(1.6, rng), 0.1)
    fluid = np.zeros(GRID)
    for side in (-1, 1):  # the ventricles
        middle = np.array((0.14 * side, 0.05, 0.1)) + rng.normal(0, 0.02, 3)
        radii = np.array((0.09, 0.34, 0.16)) * rng.uniform(0.7, 1.4)
        away = np.linalg.norm((space - middle) / radii, axis=-1)
        fluid = np.maximum(fluid, soft_edge(1 - away, 0.3))
    return {"fluid": fluid, "grey": folds * (1 - fluid), "white": (1 - folds) * (1 - fluid)}


def _draw_glioma(label: str, rng: Random) -> dict[str, float]:
    """Draw the numbers of one tumour; some are borderline, a few show the other grade."""
    other = "LGG" if label == "HGG" else "HGG"
    shown, unlike = (other, label) if rng.random() < MISLABELLED else (label, other)
    grade = GRADES[shown]
    if rng.random() < BORDERLINE:
        grade = between(grade, GRADES[unlike], rng.uniform(0.3, 0.5))
    return {name: rng.uniform(*pair) for name, pair in vars(grade).items()}


def _grow(
    shares: dict[str, Floats],
    form: Mapping[str, float],
    *,
    space: Floats,
    depth: Floats,
    rng: Random,
) -> np.ndarray:
    """Put a tumour among the tissues in `shares`; return its segmentation (48, 48, 36)."""
    middle = rng.uniform((0.2, -0.45, -0.3), (0.42, 0.45, 0.4)) * (rng.choice((-1, 1)), 1, 1)
    radius = form["radius"]
    away = np.linalg.norm((space - middle) / rng.uniform(0.85, 1.15, 3), axis=-1) / radius
    away = away * (1 + form["ragged"] * _clouds(2.5, rng))
    core = soft_edge(1 - away, 0.25)
    dead = soft_edge(form["necrosis"] - away, 0.2) * core
    rim = (core - dead) * form["enhancement"]
    reach = form["oedema"] + 0.35 * _clouds(4, rng)
    swollen = soft_edge(reach - away, 0.3) * (1 - core) * (depth > 0.05)
    for tissue in tuple(shares):
        shares[tissue] = shares[tissue] * (1 - core) * (1 - swollen)
    shares |= {"oedema": swollen, "solid": core - dead - rim, "necrosis": dead, "enhancing": rim}
    seg = np.where(swollen > 0.5, OEDEMA, 0)
    seg = np.where(core > 0.5, NECROSIS, seg)  # BraTS counts solid core without contrast to it
    return np.where(rim > 0.4, ENHANCING, seg)


def _clouds(width: float, rng: Random) -> Floats:
    """Draw smooth noise (48, 48, 36) of unit deviation, blurred over `width` voxels."""
    noise = gaussian_filter(rng.standard_normal(GRID), width, mode="wrap")
    clouds: Floats = noise / noise.std()
    return clouds
