"""L7: whole-slide scans, which are refused: they are cut into tiles before anything trains."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from objectives.contract import DataError
from objectives.data.layouts.listing import File

SUFFIXES = (".svs", ".ndpi", ".mrxs", ".scn", ".vms", ".bif")
TIFF_SUFFIXES = (".tif", ".tiff")
TILE_WIDTH = 322  # the tag that a TIFF of tiles has (TIFF 6.0, section 15)
MOST_PIXELS = 100_000_000  # 300 MB as RGB, and as much again to resize it

# Pillow warns of 89 megapixels and refuses 179, on opening; we look at the header ourselves.
Image.MAX_IMAGE_PIXELS = None


def check_header(image: Image.Image, path: Path) -> None:
    """Raise DataError for an image that nobody should decode whole, by its header alone."""
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise DataError(_refusal(path, f"{width} x {height} pixels, over 100 megapixels"))
    if is_pyramid(image):
        raise DataError(_refusal(path, "a whole-slide TIFF, tiles at several magnifications"))


def is_pyramid(image: Image.Image) -> bool:
    """Say whether an opened image is a tiled TIFF with more than one page, as slides are."""
    tags = getattr(image, "tag_v2", {})
    return TILE_WIDTH in tags and getattr(image, "n_frames", 1) > 1


def check_folder(folder: Path, images: Sequence[File]) -> None:
    """Raise DataError for a folder of whole slides: a scanner's formats, or by its largest TIFF.

    A slide among ordinary images is the checks' business, or at last the decoder's.
    """
    if not images:
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in SUFFIXES:
                raise DataError(_refusal(path, "a whole-slide scan"))
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


def _refusal(path: Path, what: str) -> str:
    return (
        f"{path}: {what}; cut it into tiles first, for example with `vips dzsave` or OpenSlide's "
        "DeepZoomGenerator, and give the folder of the tiles"
    )
