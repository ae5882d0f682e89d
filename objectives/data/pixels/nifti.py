"""Read NIfTI files out of memory; nothing is read twice, and nibabel is imported when needed."""

import gzip
import io
import logging
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from objectives.contract import DataError

Stack = npt.NDArray[Any]  # (X, Y, Z), in the numbers of the file

LONGEST_HEADER = 540  # bytes, of NIfTI-2; NIfTI-1 has 348
GZIP = b"\x1f\x8b"


def volume_form(contents: bytes) -> tuple[int, int, str]:
    """Read the first two sides of a volume, in voxels, and its data type from its header."""
    image = _open(_stream(contents), contents)
    width, height = image.shape[:2]
    return width, height, str(image.get_data_dtype())


def unreadable(path: Path, error: Exception) -> DataError:
    """Return the error that names a file which cannot be read as a volume."""
    return DataError(
        f"{path}: cannot be read as NIfTI ({str(error) or type(error).__name__})",
        fix="replace it, or remove the patient",
    )


def read_volume(path: Path, contents: bytes) -> tuple[Stack, npt.NDArray[np.float64]]:
    """Read one modality and its affine: where a voxel lies, in mm to the right, front and top.

    The numbers are those of the file: four modalities of 240 x 240 x 155 int16 are 71 MB.
    """
    nibabel = _nibabel()
    try:
        stream = _stream(contents)
        image = _open(stream, contents)
        if not abs(np.linalg.det(image.affine)) > 0:
            raise ValueError("its affine gives an axis no direction: correct it")
        image = nibabel.as_closest_canonical(image)
        volume = np.asanyarray(image.dataobj)
        stream.seek(0, io.SEEK_END)  # gzip compares its checksum at the end
        spacing = nibabel.affines.voxel_sizes(image.affine)
    except _reading_errors(nibabel) as error:
        raise unreadable(path, error) from error
    volume = volume.reshape(_three_axes(volume.shape))
    _check_numbers(path, volume)
    if not (np.isfinite(spacing) & (spacing > 0)).all():
        raise DataError(
            f"{path}: its header says voxels of {'x'.join(f'{each:g}' for each in spacing)} mm",
            fix="correct its pixdim and affine, or remove the patient",
        )
    return volume, image.affine


def _check_numbers(path: Path, volume: Stack) -> None:
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
    if not np.isfinite(volume).all():
        raise DataError(
            f"{path}: holds NaN or infinity",
            fix="replace it, or set those voxels to 0 if they are background",
        )


def _three_axes(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Leave out the axes of one that some programs add behind the third: time and channel."""
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def _stream(contents: bytes) -> Any:
    """Unpack what is gzip inside: some files are, and are called .nii, and the other way round."""
    stream = io.BytesIO(contents)
    return gzip.GzipFile(fileobj=stream) if contents.startswith(GZIP) else stream


def _open(stream: Any, contents: bytes) -> Any:
    """Open a NIfTI file of version 1 or 2 out of memory; its header is read, its voxels are not."""
    nibabel = _nibabel()
    start = stream.read(LONGEST_HEADER)
    stream.seek(0)
    for version in (nibabel.Nifti1Image, nibabel.Nifti2Image):
        if version.header_class.may_contain_header(start):
            _check_spacing(version.header_class, start)
            return version.from_stream(stream)
    raise nibabel.filebasedimages.ImageFileError("no NIfTI header" if contents else "empty")


def _check_spacing(header_class: Any, start: bytes) -> None:
    """Raise ValueError where the header gives no size of a voxel: nibabel then takes 1 mm."""
    header = header_class(start[: header_class.sizeof_hdr], check=False)
    if not header["sform_code"] and not (header["pixdim"][1:4] != 0).all():
        raise ValueError("its header says that voxels have no size: correct pixdim and affine")


def _nibabel() -> Any:
    try:
        import nibabel
    except ImportError as error:
        raise DataError(
            "volumes need MONAI and nibabel, which are not installed",
            fix="pip install 'search[volumes]'",
        ) from error
    # It writes each oddity of a header to stderr; those that matter are refused.
    logging.getLogger("nibabel.global").setLevel(logging.CRITICAL)
    return nibabel


def _reading_errors(nibabel: Any) -> tuple[type[Exception], ...]:
    """Return the exceptions of a damaged file: nibabel's for a bad header, gzip's for a bad end.

    A header that promises more voxels than fit into memory is a bad one, too.
    """
    headers = (nibabel.filebasedimages.ImageFileError, nibabel.spatialimages.HeaderDataError)
    shapes = (OverflowError, nibabel.orientations.OrientationError)
    return (OSError, EOFError, ValueError, MemoryError, zlib.error, *headers, *shapes)
