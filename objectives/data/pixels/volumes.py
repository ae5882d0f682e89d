"""Decode a patient's NIfTI files as one cube of bytes; no torch here.

Modalities are channels; axes run left to right, back to front, bottom to top, whatever way the
scanner stored them.
"""

import gzip
import io
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from objectives.contract import DataError
from objectives.data.pixels.normalization import Normalization

Voxels = npt.NDArray[np.uint8]  # (modalities, size, size, size)
Stack = npt.NDArray[Any]  # (X, Y, Z), in the numbers of the file

LONGEST_HEADER = 540  # bytes, of NIfTI-2; NIfTI-1 has 348
# Voxels are measured in standard deviations from their brain's mean: a scanner's unit is arbitrary.
MOST_DEVIATIONS = 4.0
BYTES_PER_DEVIATION = 31.75  # 4 of them reach from 128 to 255
# The background is the brain's mean, not black: it then equals a convolution's padding and the
# corners that a rotation brings in, and the edge of the head is not a step of 4 deviations.
BACKGROUND = 128
STANDARDIZED = Normalization((BACKGROUND / 255,), (BYTES_PER_DEVIATION / 255,))


def decode_volume(files: Mapping[Path, bytes], image_size: int) -> Voxels:
    """Decode one patient as (modalities, S, S, S), byte = 128 + 31.75 z.

    z is the distance of a voxel from the mean of its modality's brain, in standard deviations,
    clipped at 4. The box around the voxels that are not zero is taken as the brain and cut out. Its
    longest side becomes S voxels, the others keep their proportions in millimetres, and the rest of
    the cube is background.

    files: the contents of each modality's file, in the order of the channels.
    image_size: S, the side of the cube in voxels.

    Raises DataError with the path of a file that cannot be used.
    """
    volumes, spacing = _read_all(files)
    box = _brain_box(volumes)
    brains = np.stack(
        [_standardized(each[box], path) for each, path in zip(volumes, files, strict=True)]
    )
    extent = np.array(brains.shape[1:]) * spacing
    sides = np.maximum(1, np.rint(image_size * extent / extent.max())).astype(int)
    for axis, side in enumerate(sides, start=1):
        brains = _resized(brains, axis, int(side))
    cube = np.full((len(files), *[image_size] * 3), BACKGROUND, dtype=np.uint8)
    middle = tuple(slice((image_size - side) // 2, (image_size + side) // 2) for side in sides)
    cube[(slice(None), *middle)] = _as_bytes(brains)
    return cube


def volume_form(path: Path, contents: bytes) -> tuple[int, int, str]:
    """Read the first two sides of a volume, in voxels, and its data type from its header."""
    image = _open(_stream(path, contents), contents)
    width, height = image.shape[:2]
    return width, height, str(image.get_data_dtype())


def unreadable(path: Path, error: Exception) -> DataError:
    """Return the error that names a file which cannot be read as a volume."""
    return DataError(
        f"{path}: cannot be read as NIfTI ({str(error) or type(error).__name__})",
        fix="replace it, or remove the patient",
    )


def _read_all(files: Mapping[Path, bytes]) -> tuple[list[Stack], npt.NDArray[np.float64]]:
    """Read every modality (X, Y, Z) and the size of a voxel, which must be the same in all."""
    read = [_read(path, contents) for path, contents in files.items()]
    paths, (first, spacing) = list(files), read[0]
    for path, (volume, size) in zip(paths[1:], read[1:], strict=True):
        if volume.shape != first.shape or not np.allclose(size, spacing, rtol=0.01):
            raise DataError(
                f"{path}: {_grid(volume, size)}, and {paths[0].name} beside it is "
                f"{_grid(first, spacing)}",
                fix="resample them to one grid, or remove the patient",
            )
    return [volume for volume, _ in read], spacing


def _read(path: Path, contents: bytes) -> tuple[Stack, npt.NDArray[np.float64]]:
    """Read one modality in the numbers of its file: four of 240 x 240 x 155 int16 are 71 MB."""
    nibabel = _nibabel()
    try:
        stream = _stream(path, contents)
        image = nibabel.as_closest_canonical(_open(stream, contents))
        volume = np.asanyarray(image.dataobj)
        stream.seek(0, io.SEEK_END)  # gzip compares its checksum at the end
        spacing = nibabel.affines.voxel_sizes(image.affine)
    except _reading_errors(nibabel) as error:
        raise unreadable(path, error) from error
    if volume.ndim != 3:
        raise DataError(
            f"{path}: has {volume.ndim} dimensions, a volume has 3",
            fix="replace it, or remove the patient",
        )
    if volume.dtype.kind not in "iuf":
        raise DataError(
            f"{path}: holds {volume.dtype}, not plain numbers",
            fix="convert it, or remove the patient",
        )
    if not np.isfinite(volume).all() or not (np.isfinite(spacing) & (spacing > 0)).all():
        raise DataError(
            f"{path}: holds NaN or infinity",
            fix="replace it, or set those voxels to 0 if they are background",
        )
    return volume, spacing


def _stream(path: Path, contents: bytes) -> Any:
    stream = io.BytesIO(contents)
    return gzip.GzipFile(fileobj=stream) if path.suffix.lower() == ".gz" else stream


def _open(stream: Any, contents: bytes) -> Any:
    """Open a NIfTI file of version 1 or 2 out of memory; its header is read, its voxels are not."""
    nibabel = _nibabel()
    start = stream.read(LONGEST_HEADER)
    stream.seek(0)
    for version in (nibabel.Nifti1Image, nibabel.Nifti2Image):
        if version.header_class.may_contain_header(start):
            return version.from_stream(stream)
    raise nibabel.filebasedimages.ImageFileError("no NIfTI header" if contents else "empty")


def _nibabel() -> Any:
    try:
        import nibabel
    except ImportError as error:
        raise DataError(
            "volumes need MONAI and nibabel, which are not installed",
            fix="pip install 'search[volumes]'",
        ) from error
    return nibabel


def _reading_errors(nibabel: Any) -> tuple[type[Exception], ...]:
    """Return the exceptions of a damaged file: nibabel's for a bad header, gzip's for a bad end.

    A header that promises more voxels than fit into memory is a bad one, too.
    """
    headers = (nibabel.filebasedimages.ImageFileError, nibabel.spatialimages.HeaderDataError)
    shapes = (OverflowError, nibabel.orientations.OrientationError)
    return (OSError, EOFError, ValueError, MemoryError, zlib.error, *headers, *shapes)


def _grid(volume: Stack, spacing: npt.NDArray[np.float64]) -> str:
    sides, sizes = "x".join(map(str, volume.shape)), "x".join(f"{each:g}" for each in spacing)
    return f"{sides} voxels of {sizes} mm"


def _brain_box(volumes: Sequence[Stack]) -> tuple[slice, ...]:
    """Find the smallest box around the voxels that are not zero in some modality."""
    brain = volumes[0] != 0
    for volume in volumes[1:]:
        brain |= volume != 0
    box = []
    for axis in range(3):
        there = np.flatnonzero(brain.any(axis=tuple({0, 1, 2} - {axis})))
        box.append(slice(there[0], there[-1] + 1) if len(there) else slice(0))
    return tuple(box)


def _standardized(volume: Stack, path: Path) -> npt.NDArray[np.float32]:
    """Compute z = (v - mean) / deviation of the voxels that are not zero, at most 4; else 0."""
    is_brain = volume != 0
    brain = volume[is_brain]
    mean, deviation = (brain.mean(), brain.std()) if len(brain) else (0.0, 0.0)
    if not deviation > 0:
        raise DataError(
            f"{path}: is empty (one value all over the brain)",
            fix="replace it, or remove the patient",
        )
    z = np.zeros(volume.shape, dtype=np.float32)
    z[is_brain] = ((brain - mean) / deviation).clip(-MOST_DEVIATIONS, MOST_DEVIATIONS)
    return z


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
