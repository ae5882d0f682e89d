"""The format of an image file, told from its first bytes; its ending may be any or none."""

import re
from pathlib import Path
from stat import S_ISREG

HEAD = 512  # bytes: where DICOM has its mark (132), and a comment of a PPM ends

# The formats that Pillow may use on a file, by its names. Others are left out on purpose: EPS
# starts Ghostscript, and an icon or a Photoshop file holds several pictures.
PILLOW_FORMATS = (
    "PNG",
    "JPEG",
    "MPO",
    "TIFF",
    "BMP",
    "WEBP",
    "PPM",
    "GIF",
    "JPEG2000",
    "AVIF",
)
DICOM = "DICOM"

_STARTS = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",  # MPO, too: a JPEG with further pictures behind it
    b"II\x2a\x00": "TIFF",
    b"MM\x00\x2a": "TIFF",
    b"II\x2b\x00": "TIFF",  # BigTIFF
    b"MM\x00\x2b": "TIFF",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"\xff\x4f\xff\x51": "JPEG2000",
    b"\x00\x00\x00\x0cjP  \r\n\x87\n": "JPEG2000",
}
_DIB_HEADERS = {12, 40, 52, 56, 64, 108, 124}  # bytes, of the versions of BMP
_PPM = re.compile(rb"P([1-6]\s+(#[^\n]*\n\s*)*\d+\s|[fF]\s+\d+\s)")  # P1 alone begins many a text
_AVIF_BRANDS = (b"avif", b"avis")
_CONTAINERS = (b"mif1", b"msf1")  # brands that AVIF and HEIC share
# A data set without preamble begins with group 2 or 8: its length, or one of its first elements.
_DICOM_GROUPS = {0x0002: range(0x0004), 0x0008: range(0x0019)}
_VALUE_FORMS = {b"UL", b"OB", b"UI", b"SH", b"CS", b"DA", b"TM"}


def image_format(path: Path) -> str | None:
    """Return the name of the format of an image that we can read; None for any other file.

    Nothing but the first bytes is read. Whether the rest is whole, `look_at_file` says.
    """
    try:
        if not S_ISREG(path.stat().st_mode):  # reading a pipe would wait for ever
            return None
        with path.open("rb") as file:
            return format_of(file.read(HEAD))
    except (OSError, ValueError):  # ValueError: a name with a NUL character
        return None


def format_of(head: bytes) -> str | None:
    """Return what `image_format` does of a file that begins with these bytes."""
    for start, name in _STARTS.items():
        if head.startswith(start):
            return name
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _DIB_HEADERS:
        return "BMP"
    if _PPM.match(head):
        return "PPM"
    if _is_avif(head):
        return "AVIF"
    return DICOM if head[128:132] == b"DICM" or _is_bare_dicom(head) else None


def _is_avif(head: bytes) -> bool:
    if head[4:8] != b"ftyp":
        return False
    brand, others = head[8:12], head[16 : int.from_bytes(head[:4], "big")]
    return brand in _AVIF_BRANDS or (
        brand in _CONTAINERS and any(each in others for each in _AVIF_BRANDS)
    )


def _is_bare_dicom(head: bytes) -> bool:
    """Whether a DICOM data set begins at once, as old devices and some exports write it."""
    for order in ("little", "big"):
        group, element = (int.from_bytes(head[at : at + 2], order) for at in (0, 2))
        if element in _DICOM_GROUPS.get(group, ()):
            # Explicit: two letters for the form of the value. Implicit: a short, even length.
            length = int.from_bytes(head[4:8], order)
            if head[4:6] in _VALUE_FORMS or (0 < length <= 256 and length % 2 == 0):
                return True
    return False
