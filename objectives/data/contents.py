"""The bytes and the pixels of one image of a manifest, whatever its layout keeps it in."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from objectives.contract import DataSource
from objectives.data.layouts.brats import declared_modalities, modality_files
from objectives.data.layouts.cifar10 import SHAPE, image_reader
from objectives.data.pixels.decode import Pixels, decode, square
from objectives.data.pixels.volumes import Voxels, decode_volume


def reader(source: DataSource) -> Callable[[str], bytes]:
    """Give the function from a manifest path to the image's own bytes, safe to call from threads.

    They are what two machines must share: a file as it is, or the pixels where many images share
    one. It raises OSError for what cannot be read.
    """
    if source.layout["kind"] == "digits":
        return _digits()
    folder = source.folder or Path()
    if source.layout["kind"] == "brats":
        modalities = declared_modalities(source)
        return lambda path: b"".join(
            file.read_bytes() for file in modality_files(folder, path, modalities)
        )
    if source.layout["kind"] == "cifar10":
        read = image_reader(source)
        return lambda path: read(path).tobytes()
    return lambda path: (folder / path).read_bytes()


def decoder(source: DataSource, image_size: int) -> Callable[[str], Pixels]:
    """Give the function that turns a manifest path into its pixels, safe to call from threads."""
    if source.layout["kind"] == "digits":
        return _digit_decoder(image_size)
    if source.layout["kind"] == "brats":
        return volume_decoder(source, image_size)
    if source.layout["kind"] == "cifar10":
        read = image_reader(source)
        return lambda path: square(_from_planes(read(path)), image_size)
    folder = source.folder or Path()
    return lambda path: decode(folder / path, image_size)


def pixels_shape(source: DataSource, image_size: int) -> tuple[int, ...]:
    """Give the shape of what the decoder makes of one image."""
    if source.layout["kind"] == "brats":
        return (len(declared_modalities(source)), image_size, image_size, image_size)
    return (3, image_size, image_size)


def volume_decoder(source: DataSource, image_size: int) -> Callable[[str], Voxels]:
    """Give the function from a patient's manifest path to its cube, safe to call from threads."""
    folder, modalities = source.folder or Path(), declared_modalities(source)
    return lambda path: decode_volume(modality_files(folder, path, modalities), image_size)


def _digits() -> Callable[[str], bytes]:
    from sklearn.datasets import load_digits

    scans = load_digits().images.astype("uint8")
    return lambda path: bytes(scans[int(path.removeprefix("digit-"))].tobytes())


def _from_planes(scan: npt.NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(scan.reshape(SHAPE).transpose(1, 2, 0)))


def _digit_decoder(image_size: int) -> Callable[[str], Pixels]:
    from sklearn.datasets import load_digits

    scans = (load_digits().images * (255 / 16)).round().astype(np.uint8)
    return lambda path: square(
        Image.fromarray(scans[int(path.removeprefix("digit-"))]).convert("RGB"), image_size
    )
