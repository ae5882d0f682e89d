"""Files that are called images and are something else: what they are, and the way out."""

import re
from typing import IO

from PIL.ExifTags import Base
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from objectives.data.pixels.eight_bits import CHANNELS_FIX, RANGE_FIX
from objectives.data.pixels.formats import format_of, other_dicom
from objectives.data.pixels.unfit import REPLACE, UNREADABLE, UnfitImage
from objectives.files.kinds import kind_of

CONVERT = "convert it to PNG or JPEG"
DOWNLOAD = "download it again"

_HEIC = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_HTML = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype html|html|head|script)", re.IGNORECASE)
_XML = re.compile(rb"(\xef\xbb\xbf)?\s*<(\?xml|svg)", re.IGNORECASE)
_NUMBERS = {1: "unsigned integers", 2: "signed integers", 3: "floating-point pixels"}


def misnamed(file: IO[bytes], head: bytes) -> UnfitImage:
    """Return the error of a file that Pillow does not take for an image.

    head: its first bytes.
    """
    file.seek(0)
    known = format_of(head)
    if known == "TIFF" and (unread := _unread_tiff(file)):
        return unread
    found, fix = _known(head) or ("no image of a known format", REPLACE)
    return UnfitImage(f"a damaged {known}" if known else found, fix=REPLACE if known else fix)


def _unread_tiff(file: IO[bytes]) -> UnfitImage | None:
    """Say what the pixels of a TIFF are; None for a damaged one."""
    try:
        tags = ImageFileDirectory_v2(file.read(8))
        file.seek(tags.next)
        tags.load(file)
        bits, kind = tags.get(Base.BitsPerSample, (1,)), tags.get(Base.SampleFormat, (1,))
        known = _NUMBERS.get(kind[0], "complex numbers")
        channels = tags.get(Base.SamplesPerPixel, 1)
    except UNREADABLE:
        return None
    return UnfitImage(
        f"a TIFF of {channels} channel{'s' * (channels > 1)} of {bits[0]}-bit {known}, which "
        "Pillow does not read",
        fix=RANGE_FIX if channels in (1, 3) else CHANNELS_FIX,
    )


def _known(head: bytes) -> tuple[str, str] | None:
    if not head.strip(b"\0"):
        return ("nothing but zeros" if head else "empty"), REPLACE
    if kind := kind_of(head):
        return kind.name, kind.fix or CONVERT
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC:
        return "a HEIC photograph", CONVERT
    if _HTML.match(head):
        return "a web page, as a failed download leaves it", DOWNLOAD
    if _XML.match(head):
        return "XML, such as SVG or a server's answer", REPLACE
    if (content := other_dicom(head)) is not None:
        return f"{content} in DICOM, not an image", REPLACE
    return ("text", DOWNLOAD) if _is_text(head) else None


def _is_text(head: bytes) -> bool:
    return all(byte >= 32 or byte in b"\t\n\r\f" for byte in head) and b"\x7f" not in head
