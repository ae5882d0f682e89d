"""Practice sets: small drawn data with the real layout, names, groups and imbalance of a study."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from objectives.contract import DataError
from objectives.data.layouts.folder import PRACTICE_NOTE
from objectives.practice.drawing import Drawing
from objectives.practice.flags import FLAGS
from objectives.practice.sets import PRACTICE, PracticeSet

Progress = Callable[[int, int], None]


def make_practice(
    study: str,
    folder: Path,
    images: int | None = None,
    seed: int = 0,
    dirt: Collection[str] = (),
    progress: Progress = lambda *_: None,
) -> None:
    """Write the practice set of a study into the folder; the same seed writes the same bytes.

    The note `practice.json` is written last. A set that an interrupted call left unfinished is
    drawn again, and a whole set of the same study, size, seed and dirt is left as it is. Raises
    DataError when the study has no set or no such dirt, or the folder holds anything else.

    images: of the set; None for its usual size.
    dirt: flags, as in flags.py.
    progress: called with the numbers of files done and in all.
    """
    practice = _practice_set(study)
    total = practice.images if images is None else images
    if total < practice.fewest:
        raise DataError(
            f"{total} images are too few to split by patient", f"ask for {practice.fewest} or more"
        )
    flags = _flags(study, practice, dirt)
    note = {"study": study, "seed": seed, "images": total} | ({"dirt": flags} if flags else {})
    if _claim(folder, note):
        drawings = _planned(practice, total, flags, seed % 2**32)
        for path, contents in practice.write(_counted(drawings, progress)):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(contents)
        _unfinished(folder).replace(folder / PRACTICE_NOTE)


def _practice_set(study: str) -> PracticeSet:
    if study not in PRACTICE:
        raise DataError(
            f"no practice set is drawn for {study!r}",
            f"draw one of: {', '.join(PRACTICE)} (digits needs none: `search run --study digits`)",
        )
    return PRACTICE[study]


def _flags(study: str, practice: PracticeSet, dirt: Collection[str]) -> list[str]:
    """Sort the flags into the order of the set; DataError for one that it cannot have."""
    for flag in dirt:
        if flag not in practice.dirt:
            known = ", ".join(practice.dirt)
            raise DataError(f"{study} has no dirt {flag!r}", f"use any of: {known}")
    return [flag for flag in practice.dirt if flag in dirt]


def _planned(practice: PracticeSet, images: int, flags: Sequence[str], seed: int) -> list[Drawing]:
    """Plan the set and lay the dirt on it; each flag has random numbers of its own."""
    drawings = practice.plan(images, seed)
    for flag in flags:
        rng = np.random.default_rng([seed, list(FLAGS).index(flag), 2])
        drawings = practice.dirt[flag](drawings, rng)
    return drawings


def _counted(drawings: Sequence[Drawing], progress: Progress) -> Iterator[Drawing]:
    for done, drawing in enumerate(drawings, start=1):
        yield drawing
        progress(done, len(drawings))


def _claim(folder: Path, note: Mapping[str, object]) -> bool:
    """Mark the folder as an unfinished practice set; return False if this very set is there."""
    written = json.dumps(note)
    for path in (folder / PRACTICE_NOTE, _unfinished(folder)):
        found = path.read_text(errors="replace") if path.exists() else written
        # A call that was killed at once left only the beginning of its note.
        is_torn = path == _unfinished(folder) and written.startswith(found)
        if found != written and not is_torn:
            raise DataError(
                f"{folder}: holds another practice set, {found}",
                "choose another folder or remove this one",
            )
    if (folder / PRACTICE_NOTE).exists():
        return False
    if folder.exists() and not _unfinished(folder).exists() and any(folder.iterdir()):
        raise DataError(f"{folder}: not empty and not a practice set", "choose an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    _unfinished(folder).write_text(written)
    return True


def _unfinished(folder: Path) -> Path:
    """Return the path of the note until the set is whole; readers refuse such a folder."""
    return folder / f".{PRACTICE_NOTE}"
