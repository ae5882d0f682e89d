"""The practice pictures of ten things, in the Python pickles of CIFAR-10."""

import pickle
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from io import BytesIO
from itertools import chain
from typing import Any

import numpy as np
from PIL import Image

from objectives.practice.drawing import Drawing, encoded
from objectives.practice.scenery import SIDE, THINGS, draw_thing

FOLDER = "cifar-10-batches-py"
TITLES = {f"data_batch_{n}": f"training batch {n} of 5" for n in range(1, 6)} | {
    "test_batch": "testing batch 1 of 1"
}


def plan_cifar10(images: int, seed: int) -> list[Drawing]:
    """Plan this many pictures for the six batches, equally many of each thing, in drawn order."""
    rng = np.random.default_rng([seed, 4])
    labels = [list(THINGS)[at] for at in rng.permutation(images) % len(THINGS)]
    drawings = []
    for batch, numbers in zip(TITLES, np.array_split(np.arange(images), len(TITLES)), strict=True):
        for number in numbers.tolist():
            path = f"{batch}/{labels[number]}_s_{number:06d}.png"
            draw = partial(_picture, labels[number], (seed, number))
            drawings.append(Drawing(path=path, label=labels[number], group=path, draw=draw))
    return drawings


def rename(drawing: Drawing, like: Drawing, number: int) -> Drawing:
    """Return the picture under a new name, with another drawing's batch and class."""
    batch, _ = like.path.split("/")
    path = f"{batch}/{like.label}_s_{number:06d}.png"
    return replace(drawing, path=path, label=like.label, group=path)


def write_cifar10(drawings: Iterable[Drawing]) -> Iterator[tuple[str, bytes]]:
    """Draw the pictures, then yield the pickles: six batches and the names of the classes."""
    batches: defaultdict[str, list[tuple[Drawing, np.ndarray]]] = defaultdict(list)
    for drawing in drawings:
        if drawing.draw:
            image = np.asarray(Image.open(BytesIO(drawing.draw())))
            batches[drawing.path.split("/")[0]].append((drawing, image))
    for batch, pictures in batches.items():
        contents = {
            b"batch_label": TITLES[batch].encode(),
            b"labels": [list(THINGS).index(drawing.label) for drawing, _ in pictures],
            # Rows of all red, then all green, then all blue values.
            b"data": np.stack([image.transpose(2, 0, 1).ravel() for _, image in pictures]),
            b"filenames": [drawing.path.split("/")[1].encode() for drawing, _ in pictures],
        }
        yield f"{FOLDER}/{batch}", python2_pickle(contents)
    about = {
        b"num_cases_per_batch": len(batches["data_batch_1"]),
        b"label_names": [name.encode() for name in THINGS],
        b"num_vis": 3 * SIDE * SIDE,
    }
    yield f"{FOLDER}/batches.meta", python2_pickle(about)


def python2_pickle(value: Any) -> bytes:
    """Pickle numbers, strings, lists, dicts and arrays of bytes in the way of Python 2.

    value: its strings are given as bytes. Python 3 reads them back as bytes or as text, by the
    `encoding` it is asked for, and torchvision asks for text; Python 3's own pickles hold no such
    strings.
    """
    return pickle.PROTO + b"\x02" + _pickled(value) + pickle.STOP


def _pickled(value: Any) -> bytes:
    match value:
        case bytes():
            return pickle.BINSTRING + struct.pack("<i", len(value)) + value
        case int():
            return pickle.BININT + struct.pack("<i", value)
        case list():
            return pickle.EMPTY_LIST + _pickled_all(value) + pickle.APPENDS
        case tuple():
            return _pickled_all(value) + pickle.TUPLE
        case dict():
            return pickle.EMPTY_DICT + _pickled_all(chain(*value.items())) + pickle.SETITEMS
        case np.ndarray():
            return _pickled_bytes(value)
    raise TypeError(f"{type(value).__name__} does not occur in CIFAR-10's pickles")


def _pickled_bytes(array: np.ndarray) -> bytes:
    """Pickle an array of bytes as numpy did for Python 2: an empty array, then its state."""
    none, false = pickle.NONE, pickle.INT + b"00\n"
    dtype = b"cnumpy\ndtype\n" + _pickled((b"u1", 0, 1)) + pickle.REDUCE
    dtype_state = _pickled((3, b"|")).removesuffix(pickle.TUPLE) + 3 * none
    dtype += dtype_state + b"".join(map(_pickled, (-1, -1, 0))) + pickle.TUPLE + pickle.BUILD
    empty = b"cnumpy.core.multiarray\n_reconstruct\n" + pickle.MARK + b"cnumpy\nndarray\n"
    empty += _pickled((0,)) + _pickled(b"b") + pickle.TUPLE + pickle.REDUCE
    state = pickle.MARK + _pickled(1) + _pickled(array.shape) + dtype + false
    return empty + state + _pickled(array.tobytes()) + pickle.TUPLE + pickle.BUILD


def _pickled_all(values: Iterable[Any]) -> bytes:
    return pickle.MARK + b"".join(map(_pickled, values))


def _picture(thing: str, seed: tuple[int, int]) -> bytes:
    return encoded(draw_thing(thing, np.random.default_rng([*seed, 4])), "png")
