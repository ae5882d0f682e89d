"""Practice sets: small drawn data with the real layout, names, groups and imbalance of a study."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from objectives.contract import DataError
from objectives.data.manifest import PRACTICE_NOTE
from objectives.data.practice.gleason import gleason_patches


@dataclass(frozen=True)
class PracticeSet:
    """How a study's practice set is drawn. images, fewest: its usual and its least size."""

    images: int
    fewest: int
    draw: Callable[[int, int], Iterator[tuple[str, Image.Image]]]  # by images and seed


# 560 patches leave 400 to train on after the split: minutes for eight trials on two cores.
PRACTICE: Mapping[str, PracticeSet] = {"gleason": PracticeSet(560, 100, gleason_patches)}


def make_practice(
    study: str,
    folder: Path,
    images: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> None:
    """Write the practice set of a study into the folder: the same seed, the same bytes.

    The note `practice.json` comes last; what an interrupted call left is done again, and a whole
    set of the same study, size and seed is left as it is. progress: called with (done, total).
    Raises DataError when the study has none or the folder holds anything else.
    """
    practice = _practice_set(study)
    total = practice.images if images is None else images
    if total < practice.fewest:
        raise DataError(
            f"{total} images are too few to split by slide; ask for {practice.fewest} or more"
        )
    note = {"study": study, "seed": seed, "images": total}
    if _claim(folder, note):
        for done, (name, image) in enumerate(practice.draw(total, seed % 2**32), start=1):
            image.save(folder / name)
            progress(done, total)
        _unfinished(folder).replace(folder / PRACTICE_NOTE)


def _practice_set(study: str) -> PracticeSet:
    if study not in PRACTICE:
        raise DataError(
            f"no practice set is drawn for {study!r}; draw one of: {', '.join(PRACTICE)} (digits"
            " needs none: `search run --study digits`)"
        )
    return PRACTICE[study]


def _claim(folder: Path, note: Mapping[str, object]) -> bool:
    """Mark the folder as a practice set in the making; say no if this very set is there already."""
    for path in (folder / PRACTICE_NOTE, _unfinished(folder)):
        if path.exists() and json.loads(path.read_text()) != note:
            raise DataError(
                f"{folder}: holds another practice set, {path.read_text()}; choose another folder "
                "or remove this one"
            )
    if (folder / PRACTICE_NOTE).exists():
        return False
    if folder.exists() and not _unfinished(folder).exists() and any(folder.iterdir()):
        raise DataError(f"{folder}: not empty and no practice set; choose an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    _unfinished(folder).write_text(json.dumps(note))
    return True


def _unfinished(folder: Path) -> Path:
    """Give where the note lies while files are being drawn; readers refuse such a folder."""
    return folder / f".{PRACTICE_NOTE}"
