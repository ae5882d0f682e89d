"""Read a file of weights without running code that it holds, or say what it is instead."""

import argparse
import datetime
import pathlib
import pickle
import re
import struct
import tarfile
import types
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from objectives.contract import UserError
from objectives.files.kinds import UNPACK, kind_of

SAVE_ALONE = (
    "save its state_dict() alone with torch.save(network.state_dict(), PATH), and set weights to"
    " that file"
)
COPY_AGAIN = "copy or fetch it again"
UNPACK_WEIGHTS = f"{UNPACK}, and set weights to the file inside"
FETCH_AGAIN = "fetch the file itself, with the login or the direct link that it needs"

WEB_PAGES = (b"<!doctype html", b"<html", b"<?xml", b"<head")
JSON = (b"{", b"[")
SHARDS = b"weight_map"  # in the index of weights that Hugging Face writes in several files
TORCHS_PICKLE = b"\x80\x02\x8a\nl\xfc\x9cF"  # the magic number of files older than torch 1.6
LARGEST_HEADER = 100_000_000  # bytes; safetensors' own limit

# Plain values that training scripts save beside weights; unpickling them runs no code of the file.
PATHS = ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath")
PLAIN: list[Any] = [
    argparse.Namespace,
    (lambda *_: {}, "collections.defaultdict"),  # torch fills no other mapping than a dict
    dict,
    list,
    int,
    float,
    frozenset,
    range,
    types.SimpleNamespace,
    torch.torch_version.TorchVersion,
    (lambda *_: [], "collections.deque"),  # torch fills no other sequence than a list
    datetime.datetime,
    datetime.timedelta,
    np.ndarray,
    np.dtype,
    *(getattr(np.dtypes, name) for name in np.dtypes.__all__),
    *(
        (value, f"numpy.{core}.multiarray.{name}")
        for core in ("core", "_core")  # of NumPy 1 and 2
        for name, value in (
            ("scalar", np.float64(0).__reduce__()[0]),
            ("_reconstruct", np.zeros(0).__reduce__()[0]),
        )
    ),
    *((pathlib.PurePath, f"pathlib.{name}") for name in PATHS),
    *((pathlib.PurePath, f"pathlib._local.{name}") for name in PATHS),  # of Python 3.13
]
# Where the class of a network pickled as a whole usually comes from; losses stand beside weights.
NETWORKS = ("torch.nn.", "torchvision.models.", "timm.models.", "monai.networks.")
LOSSES = "torch.nn.modules.loss."


class UnreadableWeights(UserError):
    """A file that holds no weights; `found` goes on after its name."""


def read_weights(path: Path) -> Mapping[Any, Any]:
    """Read what a file of PyTorch's or of safetensors' holds, whatever its name ends with.

    Raises OSError, and UnreadableWeights with an empty fix where only another file helps.
    """
    with path.open("rb") as file:
        begins = file.read(4096)
    if _is_safetensors(begins):
        return _read_safetensors(path)
    for found, fix in _other_kinds(path, begins):
        raise UnreadableWeights(found, fix)
    try:
        with torch.serialization.safe_globals(PLAIN):
            held: Any = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # a damaged file makes its reader raise errors of any class
        raise _unreadable(path, error) from error
    if isinstance(held, list | tuple) and any(isinstance(each, Mapping) for each in held):
        return dict(enumerate(held))
    if not isinstance(held, Mapping):
        raise UnreadableWeights(f"holds a {type(held).__name__} and no weights by name", SAVE_ALONE)
    return held


def _is_safetensors(begins: bytes) -> bool:
    if len(begins) < 9:
        return False
    (length,) = struct.unpack("<Q", begins[:8])
    return length <= LARGEST_HEADER and begins[8:9] == b"{"


def _read_safetensors(path: Path) -> Mapping[Any, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise UnreadableWeights(f"is damaged ({_first_line(error)})") from error


def _other_kinds(path: Path, begins: bytes) -> Iterator[tuple[str, str]]:
    """Yield what a file is that is no file of weights, with the fix."""
    if not begins:
        yield "is empty: it is damaged", ""
    text = begins.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(WEB_PAGES):
        yield "is a web page or the answer of a server", FETCH_AGAIN
    if text.startswith(JSON) and SHARDS in begins:
        yield "is the index of weights in several files", "load and save them as one"
    elif text.startswith(JSON):
        yield "is JSON, as a server's answer or a configuration is", FETCH_AGAIN
    if begins.startswith(b"PK"):
        yield from _other_zips(path)
    elif kind := kind_of(begins):
        fix = UNPACK_WEIGHTS if kind.fix == UNPACK else kind.fix
        yield f"is {kind.name}", fix or "convert it to PyTorch"
    elif begins.startswith(b"\x80") and not begins.startswith(TORCHS_PICKLE):
        yield "is a pickle that torch.save did not write; loading it would run code", SAVE_ALONE
    elif tarfile.is_tarfile(path):
        yield from _tars(path)


def _other_zips(path: Path) -> Iterator[tuple[str, str]]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            wrong = [name for name in names if not _is_whole(archive, name)]
    except zipfile.BadZipFile:
        yield "is damaged: its end is missing", COPY_AGAIN
        return
    # Where torch was told to write no checksums, all are wrong. It reads what is damaged silently.
    if wrong and len(wrong) < len(names):
        yield f"is damaged: the checksum of its part {wrong[0]} is wrong", COPY_AGAIN
    ends = {name.rsplit("/", 1)[-1] for name in names}
    if "constants.pkl" in ends:
        yield "is a TorchScript program", SAVE_ALONE
    elif "data.pkl" not in ends:
        yield f"is a zip archive (of {', '.join(sorted(names)[:2])})", UNPACK_WEIGHTS


def _is_whole(archive: zipfile.ZipFile, name: str) -> bool:
    try:
        with archive.open(name) as part:
            while part.read(1 << 20):
                pass
    except (zipfile.BadZipFile, zlib.error, EOFError):
        return False
    return True


def _tars(path: Path) -> Iterator[tuple[str, str]]:
    with tarfile.open(path) as archive:
        names = {name.removeprefix("./") for name in archive.getnames()}
    if not names:
        yield "is damaged", COPY_AGAIN  # zeros are an empty archive
    elif {"storages", "pickle"} <= names:
        yield (
            "is in the tar format of PyTorch before 0.1.10",
            "load it with torch.load(..., weights_only=False) if you trust it, and " + SAVE_ALONE,
        )
    else:
        yield f"is a tar archive (of {', '.join(sorted(names)[:2])})", UNPACK_WEIGHTS


def _unreadable(path: Path, error: Exception) -> UnreadableWeights:
    names = _refused_names(path, error)
    if not names:
        return UnreadableWeights("is damaged")
    is_network = any(each.startswith(NETWORKS) and LOSSES not in each for each in names)
    held = "a whole network" if is_network else "more than tensors"
    listed = ", ".join(names[:3])
    found = f"holds {held} ({listed}), which is not loaded: that would run code"
    return UnreadableWeights(found, SAVE_ALONE)


def _refused_names(path: Path, error: Exception) -> list[str]:
    """Name the classes and functions that unpickling would call; those outside torch come first."""
    if not isinstance(error, pickle.UnpicklingError):
        return []
    try:
        with torch.serialization.safe_globals(PLAIN):
            names = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except ValueError:  # a file older than torch 1.6: the error names the first one
        names = re.findall(r"GLOBAL ([\w.]+) was not", str(error))
    return sorted(names, key=lambda name: (name.startswith("torch."), name))


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
