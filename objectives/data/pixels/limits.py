"""How large an image may be: whole slides and anything over 100 megapixels are refused."""

from pathlib import Path

from PIL import Image

from objectives.contract import DataError

TILE_WIDTH = 322  # the tag that a TIFF of tiles has (TIFF 6.0, section 15)
MOST_PIXELS = 100_000_000  # 300 MB as RGB, and as much again to resize it

# Pillow warns of 89 megapixels and refuses 179, on opening; we look at the header ourselves.
Image.MAX_IMAGE_PIXELS = None


def check_header(image: Image.Image, path: Path) -> None:
    """Raise DataError for an image that nobody should decode whole, by its header alone."""
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise DataError(refusal(path, f"{width} x {height} pixels, over 100 megapixels"))
    if is_pyramid(image):
        raise DataError(refusal(path, "a whole-slide TIFF, tiles at several magnifications"))


def is_pyramid(image: Image.Image) -> bool:
    """Say whether an opened image is a tiled TIFF with more than one page, as slides are."""
    tags = getattr(image, "tag_v2", {})
    return TILE_WIDTH in tags and getattr(image, "n_frames", 1) > 1


def refusal(path: Path, what: str) -> str:
    """Return the message that refuses a file: what it is, and how to cut it into tiles."""
    return (
        f"{path}: {what}; cut it into tiles first, for example with `vips dzsave` or OpenSlide's "
        "DeepZoomGenerator, and give the folder of the tiles"
    )
