"""Files that are called images and are something else: what they are, and the way out."""

import re
from typing import IO

from PIL.TiffImagePlugin import ImageFileDirectory_v2

from objectives.data.pixels.eight_bits import RANGE_FIX
from objectives.data.pixels.formats import format_of, other_dicom
from objectives.data.pixels.unfit import REPLACE, UNREADABLE, UnfitImage

CONVERT = "convert it to PNG or JPEG"
DOWNLOAD = "download it again"

_STARTS = {
    b"\xff\x0a": ("JPEG XL", CONVERT),
    b"\x00\x00\x00\x0cJXL ": ("JPEG XL", CONVERT),
    b"II\xbc": ("JPEG XR", CONVERT),
    b"\x00\x00\x01\x00": ("a Windows icon, which may hold several pictures", CONVERT),
    b"8BPS": ("a Photoshop file", CONVERT),
    b"v/1\x01": ("OpenEXR", CONVERT),
    b"%PDF": ("PDF", CONVERT),
    b"\x93NUMPY": ("a NumPy array", "save each picture as PNG"),
    b"\x89HDF": ("HDF5", "save each picture as PNG"),
    b"PK\x03\x04": ("a zip archive or an Office file", "unpack it"),
    b"\x1f\x8b": ("gzip", "unpack it"),
    b"version https://git-lfs": ("a pointer of Git LFS", "run `git lfs pull`"),
}
_HEIC = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_HTML = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype html|html|head|script)", re.IGNORECASE)
_XML = re.compile(rb"(\xef\xbb\xbf)?\s*<(\?xml|svg)", re.IGNORECASE)


_BITS, _COMPRESSION, _CHANNELS, _NUMBERS = 258, 259, 277, 339  # tags of TIFF 6.0
_KINDS = {1: "unsigned integers", 2: "signed integers", 3: "floating-point pixels"}


def stranger(file: IO[bytes], head: bytes) -> UnfitImage:
    """Return the error of a file that Pillow does not take for an image.

    head: its first bytes.
    """
    file.seek(0)
    known = format_of(head)
    if known == "TIFF" and (pixels := _tiff_pixels(file)):
        return UnfitImage(f"a TIFF of {pixels}, which Pillow does not read", fix=RANGE_FIX)
    found, fix = _known(head) or ("no image of a known format", REPLACE)
    return UnfitImage(f"a damaged {known}" if known else found, fix=REPLACE if known else fix)


def _tiff_pixels(file: IO[bytes]) -> str:
    """Say what the pixels of a TIFF are; "" for a damaged one."""
    try:
        tags = ImageFileDirectory_v2(file.read(8))
        file.seek(tags.next)
        tags.load(file)
        bits, kind = tags.get(_BITS, (1,)), tags.get(_NUMBERS, (1,))
        known = _KINDS.get(kind[0], "complex numbers")
        channels = tags.get(_CHANNELS, 1)
        return f"{channels} channel{'s' * (channels > 1)} of {bits[0]}-bit {known}"
    except UNREADABLE:
        return ""


def _known(head: bytes) -> tuple[str, str] | None:
    if not head.strip(b"\0"):
        return ("nothing but zeros" if head else "empty"), REPLACE
    for start, known in _STARTS.items():
        if head.startswith(start):
            return known
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC:
        return "a HEIC photograph", CONVERT
    if _HTML.match(head):
        return "a web page, as a failed download leaves it", DOWNLOAD
    if _XML.match(head):
        return "XML, such as SVG or a server's answer", REPLACE
    if (kind := other_dicom(head)) is not None:
        return f"{kind} in DICOM, not an image", REPLACE
    return ("text", DOWNLOAD) if _is_text(head) else None


def _is_text(head: bytes) -> bool:
    return all(byte >= 32 or byte in b"\t\n\r\f" for byte in head) and b"\x7f" not in head
