"""L4: CIFAR-10's python pickles; ten thousand images share a file."""

import pickle
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from objectives.contract import DataError, DataSource
from objectives.data.layouts.folder import image_folder
from objectives.data.layouts.listing import File, Found, Listing

NAME = "cifar-10-batches-py"
TEST = "test_batch"
SHAPE = (3, 32, 32)  # red, green, blue: 3,072 bytes in all
BYTES = 3072

Scans = npt.NDArray[np.uint8]  # (images, 3072)


def read_cifar10(source: DataSource) -> Listing:
    """Read the training batches, image by image; the test batch is counted and never opened.

    A path is the batch and the row in it, `data_batch_1/0017`. The classes keep the order of
    `batches.meta`.
    """
    folder = _batches(source)
    classes = _classes(folder / "batches.meta")
    batches = sorted(path for path in folder.glob("data_batch_*") if path.is_file())
    if not batches:
        raise DataError(f"{folder}: no data_batch_1 to 5; unpack cifar-10-python.tar.gz again")
    found: list[Found] = []
    for batch in batches:
        labels, modified_ns = _labels(batch, len(classes)), batch.stat().st_mtime_ns
        for row, label in enumerate(labels):
            path = f"{batch.name}/{row:04d}"
            found.append(Found(File(path, BYTES, modified_ns), classes[label], path, ""))
    return Listing(found, classes, {}, sealed_test=_sealed(folder, batches[0], found))


def image_reader(source: DataSource) -> Callable[[str], Scans]:
    """Give the function from a path to an image's (3072,) bytes, safe to call from threads."""
    folder, lock = _batches(source), Lock()

    @cache
    def scans(batch: str) -> Scans:
        array: Scans = _load(folder / batch)["data"]
        return array

    def read(path: str) -> Scans:
        batch, row = path.split("/")
        with lock:  # else every thread would load the first batch
            scan: Scans = scans(batch)[int(row)]
        return scan

    return read


def _classes(meta: Path) -> tuple[str, ...]:
    names = _load(meta).get("label_names")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _no_part(meta, "no list of label_names")
    if len(set(names)) < len(names):
        raise _no_part(meta, f"label_names hold one name twice: {', '.join(names)}")
    return tuple(names)


def _labels(batch: Path, classes: int) -> list[int]:
    """Give the class index of each image, of which all have one and their 3,072 bytes."""
    contents = _load(batch)
    labels, scans = contents.get("labels"), contents.get("data")
    if not isinstance(labels, list) or not {*map(type, labels)} <= {int}:
        raise _no_part(batch, "no list of labels")
    if wrong := [label for label in labels if not 0 <= label < classes]:
        raise _no_part(batch, f"label {wrong[0]} of {classes} classes")
    if not isinstance(scans, np.ndarray) or scans.dtype != np.uint8:
        raise _no_part(batch, "no bytes as data")
    if scans.shape != (len(labels), BYTES):
        raise _no_part(batch, f"data of shape {scans.shape} for {len(labels)} labels")
    return labels


def _batches(source: DataSource) -> Path:
    folder = image_folder(source)
    return folder / NAME if (folder / NAME).is_dir() else folder


def _sealed(folder: Path, batch: Path, found: Sequence[Found]) -> int:
    """Count the test images by the file's size, at as many bytes an image as a training batch."""
    if not (folder / TEST).exists():
        return 0
    images = sum(each.file.path.startswith(f"{batch.name}/") for each in found)
    return round((folder / TEST).stat().st_size * images / batch.stat().st_size)


# What unpickling something else raises, beside the error that is made for it.
_NO_PICKLE = (
    *(OSError, pickle.UnpicklingError, EOFError, LookupError, TypeError, ValueError),
    *(AttributeError, OverflowError, MemoryError),
)


class _Unpickler(pickle.Unpickler):
    """Reads arrays and lists only: a pickle from the net may otherwise run any code.

    torchvision reads these files with a plain `pickle.load`, and importing it takes torch, which
    listing data shall not need.
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
        raise _no_part(path, str(error)) from error
    if not isinstance(contents, dict):
        raise _no_part(path, "no mapping")
    return contents


def _no_part(path: Path, why: str) -> DataError:
    return DataError(
        f"{path}: no part of CIFAR-10's python version ({why}); unpack cifar-10-python.tar.gz again"
    )
