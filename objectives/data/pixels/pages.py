"""The pages of an image file: of a TIFF, and the frames of GIF, WEBP, PNG and AVIF.

A smaller copy of the first page is no page of its own, and neither is the second picture of a
phone's JPEG (MPO).
"""

import re
from typing import Any

from PIL import Image
from PIL.ExifTags import Base

from objectives.data.pixels.unfit import UnfitImage

REDUCED, MASK = 1, 4  # bits of NewSubfileType: a smaller copy, a mask of transparency
OLD_REDUCED = 2  # value of SubfileType
IMAGEJ_PAGES = re.compile(r"\AImageJ=.*^images=(\d+)", re.DOTALL | re.MULTILINE)
COPY_SIDE = 0.5  # of the first page's sides, at most, and at its proportions: an unmarked copy
COPY_SHAPE = 0.05


def turn_to_page(image: Image.Image, page: int | None) -> int:
    """Turn an opened image to one of its pages and return how many it has.

    page: from 1 on; None for the only page. Where the file has no such page, the image stays at its
    first one, and `check_page` refuses it. Raises UnfitImage for a page that Pillow cannot reach.
    """
    frames = _pages(image)
    count = max(len(frames), _said_by_imagej(image))
    wanted = page if page and page <= count else 1
    if wanted > len(frames):
        raise UnfitImage(
            f"an ImageJ stack of {count:,} pages in one",
            fix="save it with a page per slice, for example as OME-TIFF, or as separate files",
        )
    if frames[wanted - 1] != image.tell():
        image.seek(frames[wanted - 1])
    return count


def has_page(page: int | None, pages: int) -> bool:
    """Whether a file has the declared page, or a single one where none is declared."""
    return pages == 1 if page is None else page <= pages


def check_page(page: int | None, pages: int) -> None:
    """Raise UnfitImage where `has_page` says no."""
    if has_page(page, pages):
        return
    if page is None:
        raise UnfitImage(
            f"{pages:,} pages in one file",
            fix="declare which one you mean, page=1 for the first, or save each as a file",
        )
    raise UnfitImage(
        f"{pages:,} page{'s' * (pages > 1)}, and the study declares page={page}",
        fix="correct the study or the file",
    )


def _pages(image: Image.Image) -> list[int]:
    """Return the frames that are pages; the image is left at its first frame."""
    frames = getattr(image, "n_frames", 1)
    if image.format == "MPO":
        return [0]
    if image.format != "TIFF":
        return list(range(frames))
    pages: list[int] = []
    first = image.size
    for frame in range(frames if frames > 1 else 0):
        image.seek(frame)
        if not _is_marked_copy(image) and not (pages and _is_small_copy(image.size, first)):
            first = first if pages else image.size
            pages.append(frame)
    image.seek(0)
    return pages or [0]


def _is_marked_copy(image: Image.Image) -> bool:
    tags: Any = getattr(image, "tag_v2", {})
    marks = tags.get(Base.NewSubfileType, 0)
    return bool(marks & (REDUCED | MASK)) or tags.get(Base.SubfileType) == OLD_REDUCED


def _is_small_copy(size: tuple[int, int], first: tuple[int, int]) -> bool:
    """Whether a page is a thumbnail by its size: some programs do not mark it."""
    wide, high = (side / whole for side, whole in zip(size, first, strict=True))
    return max(wide, high) <= COPY_SIDE and abs(wide - high) <= COPY_SHAPE * max(wide, high)


def _said_by_imagej(image: Image.Image) -> int:
    """Return the number of slices that ImageJ names, which it may keep behind the first one."""
    tags: Any = getattr(image, "tag_v2", {})
    text = tags.get(Base.ImageDescription, "")
    said = IMAGEJ_PAGES.search(text) if isinstance(text, str) else None
    return int(said.group(1)) if said else 1
