"""Files that are called images and are something else: what they are, and the way out."""

import re

from objectives.data.pixels.formats import other_dicom
from objectives.data.pixels.unfit import UnfitImage

REPLACE = "replace or remove it"
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


def stranger(head: bytes) -> UnfitImage:
    """Return the error of a file that is no image of a known format.

    head: its first bytes.
    """
    found, fix = _known(head) or ("no image of a known format", REPLACE)
    return UnfitImage(found, fix=fix)


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
