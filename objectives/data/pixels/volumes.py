"""Decode a patient's NIfTI files as one cube of bytes; no torch here.

Modalities are channels; axes run left to right, back to front, bottom to top, whatever way the
scanner stored them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from objectives.contract import DataError
from objectives.data.pixels.nifti import Stack, read_volume
from objectives.data.pixels.normalization import Normalization

Voxels = npt.NDArray[np.uint8]  # (modalities, size, size, size)
Affine = npt.NDArray[np.float64]  # (4, 4)
Mask = npt.NDArray[np.bool_]  # (X, Y, Z), True in the brain

# Voxels are measured in standard deviations from their brain's mean: a scanner's unit is arbitrary.
MOST_DEVIATIONS = 4.0
BYTES_PER_DEVIATION = 31.75  # 4 of them reach from 128 to 255
# The background is the brain's mean, not black: it then equals a convolution's padding and the
# corners that a rotation brings in, and the edge of the head is not a step of 4 deviations.
BACKGROUND = 128
STANDARDIZED = Normalization((BACKGROUND / 255,), (BYTES_PER_DEVIATION / 255,))


@dataclass(frozen=True)
class Scan:
    """One patient's volumes, a modality each, on one grid.

    paths, volumes: in the order of the channels.
    spacing: (3,), millimetres between voxels.
    """

    paths: tuple[Path, ...]
    volumes: tuple[Stack, ...]
    spacing: npt.NDArray[np.float64]

    @cached_property
    def backgrounds(self) -> tuple[float | None, ...]:
        """The value around the brain in each volume; None where there is no such value."""
        return tuple(map(_background, self.volumes))


def decode_volume(files: Mapping[Path, bytes], image_size: int) -> Voxels:
    """Decode one patient as (modalities, S, S, S), byte = 128 + 31.75 z.

    z is the distance of a voxel from the mean of its modality's brain, in standard deviations,
    clipped at 4. The brain is every voxel that is not background, the value of most voxels on the
    faces of the volume, else 0. The box around it is cut out. Its longest side becomes S voxels,
    the others keep their proportions in millimetres, and the rest of the cube is background.

    files: the contents of each modality's file, in the order of the channels.
    image_size: S, the side of the cube in voxels.

    Raises DataError with the path of a file that cannot be used.
    """
    return as_cube(read_scan(files), image_size)


def as_cube(scan: Scan, image_size: int) -> Voxels:
    """Bring a scan to the cube that `decode_volume` returns."""
    masks = [
        volume != (background or 0)
        for volume, background in zip(scan.volumes, scan.backgrounds, strict=True)
    ]
    box = _box(masks)
    brains = np.stack(
        [
            _standardized(volume[box], mask[box], path)
            for volume, mask, path in zip(scan.volumes, masks, scan.paths, strict=True)
        ]
    )
    extent = np.array(brains.shape[1:]) * scan.spacing
    sides = np.maximum(1, np.rint(image_size * extent / extent.max())).astype(int)
    for axis, side in enumerate(sides, start=1):
        brains = _resized(brains, axis, int(side))
    cube = np.full((len(masks), *[image_size] * 3), BACKGROUND, dtype=np.uint8)
    middle = tuple(slice((image_size - side) // 2, (image_size + side) // 2) for side in sides)
    cube[(slice(None), *middle)] = _as_bytes(brains)
    return cube


def read_scan(files: Mapping[Path, bytes]) -> Scan:
    """Read every modality of a patient.

    Raises DataError with the path of a file that cannot be used, or lies on another grid.
    """
    read = [read_volume(path, contents) for path, contents in files.items()]
    paths, (first, affine) = tuple(files), read[0]
    for path, (volume, other) in zip(paths[1:], read[1:], strict=True):
        if volume.shape != first.shape or not np.allclose(
            _spacing(other), _spacing(affine), rtol=0.01
        ):
            raise DataError(
                f"{path}: {_grid(volume, other)}, and {paths[0].name} beside it is "
                f"{_grid(first, affine)}",
                fix="resample them to one grid, or remove the patient",
            )
        distance = _farthest(first.shape, affine, other)
        if distance > _spacing(affine).max():
            raise DataError(
                f"{path}: its header places it up to {distance:.0f} mm from {paths[0].name} beside "
                "it",
                fix=(
                    "resample them to one grid, copy the header of the other if it is the same "
                    "grid, or remove the patient"
                ),
            )
    return Scan(paths, tuple(volume for volume, _ in read), _spacing(affine))


def _spacing(affine: Affine) -> npt.NDArray[np.float64]:
    """Return the millimetres between voxels along each axis."""
    sizes: npt.NDArray[np.float64] = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    return sizes


def _farthest(shape: Sequence[int], one: Affine, other: Affine) -> float:
    """Return the greatest distance in mm between the corners that two affines give a volume."""
    corners = np.array([(*each, 1) for each in product(*((0, side - 1) for side in shape))])
    apart = (corners @ (one - other).T)[:, :3]
    return float(np.sqrt((apart**2).sum(axis=1)).max())


def _grid(volume: Stack, affine: Affine) -> str:
    sides = "x".join(map(str, volume.shape))
    return f"{sides} voxels of {'x'.join(f'{each:g}' for each in _spacing(affine))} mm"


def _background(volume: Stack) -> float | None:
    """Find the value of most voxels on the faces; None where there is none.

    It is 0 after most programs, and -9 or the air's after some. A volume that was cut out of a
    brain, or whose air is noise, has no such value.
    """
    faces = [np.take(volume, end, axis) for axis in range(3) for end in (0, -1)]
    around = np.concatenate([face.ravel() for face in faces])
    if np.count_nonzero(around) < len(around) / 2:
        return 0
    values, counts = np.unique(around, return_counts=True)
    most = counts.argmax()
    background: float = values[most].item()
    return background if counts[most] > len(around) / 2 else None


def _box(masks: Sequence[Mask]) -> tuple[slice, ...]:
    """Find the smallest box around the voxels that are brain in some modality."""
    brain = np.logical_or.reduce(masks)
    box = []
    for axis in range(3):
        there = np.flatnonzero(brain.any(axis=tuple({0, 1, 2} - {axis})))
        box.append(slice(there[0], there[-1] + 1) if len(there) else slice(0))
    return tuple(box)


def _standardized(volume: Stack, is_brain: Mask, path: Path) -> npt.NDArray[np.float32]:
    """Compute z = (v - mean) / deviation of the voxels of the brain, at most 4; else 0."""
    brain = volume[is_brain]
    mean, deviation = _moments(brain)
    if not 0 < deviation < np.inf and len(brain):
        # The square of 1e200 is no number any more, and that of 1e-200 is 0.
        brain = brain / np.abs(brain).max()
        mean, deviation = _moments(brain)
    if not deviation > 0:
        raise DataError(
            f"{path}: is empty (one value all over the brain)",
            fix="replace it, or remove the patient",
        )
    z = np.zeros(volume.shape, dtype=np.float32)
    z[is_brain] = ((brain - mean) / deviation).clip(-MOST_DEVIATIONS, MOST_DEVIATIONS)
    return z


def _moments(brain: Stack) -> tuple[float, float]:
    """Return mean and standard deviation; 0 and 0 of nothing, infinity where they overflow."""
    if not len(brain):
        return 0.0, 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        deviation = brain.std()
    return brain.mean(), deviation if np.isfinite(deviation) else np.inf


def _resized(brains: npt.NDArray[np.float32], axis: int, side: int) -> npt.NDArray[np.float32]:
    """Resize one axis by Pillow's bilinear filter, which is as wide as a voxel of the result.

    Plain trilinear interpolation would skip four of five voxels on the way from 170 to 32.
    """
    front = np.moveaxis(brains, axis, 0)
    picture = Image.fromarray(np.ascontiguousarray(front).reshape(len(front), -1))
    resized = np.asarray(picture.resize((picture.width, side), Image.Resampling.BILINEAR))
    return np.moveaxis(resized.reshape(side, *front.shape[1:]), 0, axis)


def _as_bytes(z: npt.NDArray[np.float32]) -> Voxels:
    voxels: Voxels = (np.rint(z * BYTES_PER_DEVIATION) + BACKGROUND).astype(np.uint8)
    return voxels
