"""Refuse folders of whole-slide scans: they are cut into tiles before anything trains."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from objectives.contract import DataError
from objectives.data.layouts.listing import File
from objectives.data.pixels.limits import check_header, is_pyramid, refusal

SUFFIXES = (".svs", ".ndpi", ".mrxs", ".scn", ".vms", ".bif")
TIFF_SUFFIXES = (".tif", ".tiff")


def check_folder(folder: Path, images: Sequence[File]) -> None:
    """Raise DataError for a folder of whole slides: a scanner's formats, or by its largest TIFF.

    A slide among ordinary images is the checks' business, or at last the decoder's.
    """
    if not images:
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in SUFFIXES:
                raise DataError(refusal(path, "a whole-slide scan"))
    tiffs = [each for each in images if each.path.lower().endswith(TIFF_SUFFIXES)]
    if tiffs:
        _check_tiff(folder / max(tiffs, key=lambda file: file.bytes).path)


def _check_tiff(path: Path) -> None:
    try:
        with Image.open(path) as image:
            if is_pyramid(image):
                check_header(image, path)
    except (OSError, SyntaxError, ValueError):
        return  # unreadable: the checks will name it
