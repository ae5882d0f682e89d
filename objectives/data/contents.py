"""The bytes of one image of a manifest, whatever its layout keeps it in."""

from collections.abc import Callable
from pathlib import Path

from objectives.contract import DataSource
from objectives.data.layouts.brats import declared_modalities, modality_files
from objectives.data.layouts.cifar10 import image_reader


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


def _digits() -> Callable[[str], bytes]:
    from sklearn.datasets import load_digits

    scans = load_digits().images.astype("uint8")
    return lambda path: bytes(scans[int(path.removeprefix("digit-"))].tobytes())
