"""L4: CIFAR-10's python pickles, ten thousand images to a file."""

import pickle
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from objectives.contract import DataError, DataSource
from objectives.data.layouts.folder import image_folder
from objectives.data.layouts.layout import data_folder
from objectives.data.layouts.listing import File, Found, Listing, times_of
from objectives.data.pixels.decode import Pixels, square
from objectives.data.pixels.facts import Facts, look_at_pixels

NAME = "cifar-10-batches-py"
TEST = "test_batch"
SHAPE = (3, 32, 32)  # red, green, blue: 3,072 bytes in all
BYTES = 3072
UNPACK_AGAIN = "unpack cifar-10-python.tar.gz again"

Scans = npt.NDArray[np.uint8]  # (images, 3072)


class Cifar10:
    """The training images; the test batch is counted and never opened.

    A path is the batch and the row in it, `data_batch_1/0017`.
    """

    takes_group: ClassVar[bool] = False

    def __init__(self, source: DataSource) -> None:
        self.source = source
        self._scans: dict[str, Scans] = {}  # by batch, once one of its images was asked for
        self._loading = Lock()

    def find_images(self) -> Listing:
        """List the images of the training batches; classes keep the order of `batches.meta`."""
        folder = self._folder
        classes = _classes(folder / "batches.meta")
        batches = sorted(path for path in folder.glob("data_batch_*") if path.is_file())
        if not batches:
            raise DataError(f"{folder}: no data_batch_1 to 5", fix=UNPACK_AGAIN)
        found: list[Found] = []
        for batch in batches:
            labels, times = _labels(batch, len(classes)), times_of(batch.stat())
            for row, label in enumerate(labels):
                path = f"{batch.name}/{row:04d}"
                found.append(Found(File(path, BYTES, times), classes[label], path, ""))
        return Listing(found=found, classes=classes, sealed_test=_sealed(folder, batches[0], found))

    def bytes_of(self, path: str) -> Mapping[Path, bytes]:
        """Return an image's 3,072 bytes, red before green before blue."""
        return {Path(path): self._scan(path).tobytes()}

    def pixels_of(self, path: str, image_size: int) -> Pixels:
        """Resize an image to (3, image_size, image_size)."""
        return square(_picture(self._scan(path)), image_size)

    def pixels_shape(self, image_size: int) -> tuple[int, ...]:
        """Return the shape of an RGB square."""
        return (3, image_size, image_size)

    def look_at(self, files: Mapping[Path, bytes]) -> Facts:
        """Examine an image at its own size."""
        (contents,) = files.values()
        return look_at_pixels(_picture(np.frombuffer(contents, np.uint8)))

    def identity(self) -> tuple[object, ...]:
        """Return the kind and the folder."""
        return self.source.layout["kind"], data_folder(self.source.folder)

    def choice(self) -> tuple[object, ...]:
        """Return nothing: every pixel is used."""
        return ()

    @cached_property
    def _folder(self) -> Path:
        folder = image_folder(self.source)
        return folder / NAME if (folder / NAME).is_dir() else folder

    def _scan(self, path: str) -> Scans:
        batch, row = path.split("/")
        with self._loading:  # otherwise every thread would load the first batch
            if batch not in self._scans:
                self._scans[batch] = _load(self._folder / batch)["data"]
        scan: Scans = self._scans[batch][int(row)]
        return scan


def _picture(scan: Scans) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(scan.reshape(SHAPE).transpose(1, 2, 0)))


def _classes(meta: Path) -> tuple[str, ...]:
    names = _load(meta).get("label_names")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _unusable(meta, "no list of label_names")
    if len(set(names)) < len(names):
        raise _unusable(meta, f"label_names hold one name twice: {', '.join(names)}")
    return tuple(names)


def _labels(batch: Path, classes: int) -> list[int]:
    """Read the class index of every image; DataError unless each has one and 3,072 bytes."""
    contents = _load(batch)
    labels, scans = contents.get("labels"), contents.get("data")
    if not isinstance(labels, list) or not {*map(type, labels)} <= {int}:
        raise _unusable(batch, "no list of labels")
    if wrong := [label for label in labels if not 0 <= label < classes]:
        raise _unusable(batch, f"label {wrong[0]} of {classes} classes")
    if not isinstance(scans, np.ndarray) or scans.dtype != np.uint8:
        raise _unusable(batch, "no bytes as data")
    if scans.shape != (len(labels), BYTES):
        raise _unusable(batch, f"data of shape {scans.shape} for {len(labels)} labels")
    return labels


def _sealed(folder: Path, batch: Path, found: Sequence[Found]) -> int:
    """Count the test images by the file's size, at as many bytes an image as a training batch."""
    if not (folder / TEST).exists():
        return 0
    images = sum(each.file.path.startswith(f"{batch.name}/") for each in found)
    return round((folder / TEST).stat().st_size * images / batch.stat().st_size)


# Unpickling a file that is no pickle raises any of these.
_NO_PICKLE = (
    OSError,
    pickle.UnpicklingError,
    EOFError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    OverflowError,
    MemoryError,
)


class _Unpickler(pickle.Unpickler):
    """Read arrays and lists only: a downloaded pickle may otherwise run any code.

    torchvision reads these files with a plain `pickle.load`, and it imports torch, which listing
    data must not need.
    """

    def find_class(self, module: str, name: str) -> Any:
        allowed = {
            **dict.fromkeys(("numpy.core.multiarray", "numpy._core.multiarray"), "_reconstruct"),
            "_codecs": "encode",
        }
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        if allowed.get(module) == name:
            return getattr(import_module(module), name)
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def _load(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            # A pickle of Python 2, whose strings are bytes.
            contents = _Unpickler(file, encoding="latin1").load()
    except _NO_PICKLE as error:
        raise _unusable(path, str(error)) from error
    if not isinstance(contents, dict):
        raise _unusable(path, "no mapping")
    return contents


def _unusable(path: Path, why: str) -> DataError:
    return DataError(f"{path}: no part of CIFAR-10's python version ({why})", fix=UNPACK_AGAIN)
