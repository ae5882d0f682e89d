"""Refuse folders of whole-slide scans: they must be cut into tiles first."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from objectives.data.layouts.listing import File
from objectives.data.pixels.formats import SLIDES
from objectives.data.pixels.limits import check_form, is_pyramid, open_image, too_large

TIFF_SUFFIXES = (".tif", ".tiff")


def check_folder(folder: Path, images: Sequence[File], unread: Iterable[str]) -> None:
    """Refuse a folder of whole slides, known by a scanner's format or by its largest TIFF.

    A single slide among ordinary images is reported by the checks and refused by the decoder.
    Raises DataError.

    unread: the paths of files in formats that are not read.
    """
    if not images:
        for path in sorted(unread):
            if path.lower().endswith(SLIDES):
                raise too_large(folder / path, "a whole-slide scan")
    tiffs = [each for each in images if each.path.lower().endswith(TIFF_SUFFIXES)]
    if tiffs:
        _check_tiff(folder / max(tiffs, key=lambda file: file.bytes).path)


def _check_tiff(path: Path) -> None:
    try:
        with open_image(path) as image:
            if is_pyramid(image):
                check_form(path, *image.size, is_slide=True)
    except (OSError, SyntaxError, ValueError):
        return  # the checks name a file that cannot be read
