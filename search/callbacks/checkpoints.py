"""The checkpoints of a framework in the folders of a trial's attempts."""

import json
import os
import re
import shutil
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from search.script import trial

LIGHTNING = "reported-*.ckpt"


def newest_checkpoint(pattern: str, last: str = "") -> str | None:
    """Return the newest whole checkpoint of the trial's earlier attempts; None at the beginning.

    It is linked into this attempt's folder: an attempt that dies before it has saved one of its
    own leaves this one to the next.

    pattern: of the checkpoints' names, each with a number that grows.
    last: the file that is written last into a checkpoint that is a folder.
    """
    if trial.resume_from is None:
        return None
    found = sorted(trial.resume_from.glob(pattern), key=_number, reverse=True)
    newest = next((path for path in found if _is_whole(path, last)), None)
    if newest is None:
        return None
    with suppress(FileExistsError):  # it is here already, or another rank was faster
        target = os.path.relpath(newest.resolve(), trial.folder.resolve())
        (trial.folder / newest.name).symlink_to(target)
    return str(newest)


def save_lightning(trainer: Any, epoch: int) -> str:
    """Save a Lightning trainer whole into the attempt's folder, and return the file's path.

    The one before is kept, older ones are not. Every rank is to call it.
    """
    path, unfinished = _lightning(epoch), trial.folder / "unfinished.ckpt"
    trainer.save_checkpoint(unfinished)
    if trainer.is_global_zero:
        unfinished.replace(path)
        _remove(_lightning(epoch - 2))
    return str(path)


def _lightning(epoch: int) -> Path:
    return trial.folder / LIGHTNING.replace("*", str(epoch))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():  # as trainers of parts of a model save
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _number(path: Path) -> int:
    return int("0" + re.sub(r"\D", "", path.stem))


def _is_whole(path: Path, last: str) -> bool:
    """Tell whether a checkpoint was written to its end: the process or the power may have gone."""
    files = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
    try:
        return (path / last).exists() and all(map(_is_whole_file, files))
    except (OSError, ValueError, zipfile.BadZipFile):
        return False


def _is_whole_file(path: Path) -> bool:
    match path.suffix:
        case ".ckpt" | ".pt" | ".pth" | ".bin":  # of torch: an archive, its table at the end
            with zipfile.ZipFile(path) as archive:
                return archive.testzip() is None
        case ".json":
            json.loads(path.read_bytes())
        case ".safetensors":
            return _end_of_tensors(path) == path.stat().st_size
    return True


def _end_of_tensors(path: Path) -> int:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        tensors = json.loads(file.read(length))
    ends = [each["data_offsets"][1] for each in tensors.values() if "data_offsets" in each]
    return 8 + length + max(ends, default=0)
