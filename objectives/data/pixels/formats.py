"""The format of an image file, told from its first bytes; its ending may be any or none."""

import re
from pathlib import Path
from stat import S_ISREG

HEAD = 512  # bytes: where DICOM has its mark (132), and a comment of a PPM ends

# The formats that Pillow may use on a file, by its names. Others are left out on purpose: EPS
# starts Ghostscript, and an icon or a Photoshop file holds several pictures.
PILLOW_FORMATS = (
    "PNG",
    "JPEG",  # with it MPO, a JPEG with further pictures behind it
    "TIFF",
    "BMP",
    "WEBP",
    "PPM",
    "GIF",
    "JPEG2000",
    "AVIF",
)
DICOM = "DICOM"

# Two kinds of TIFF that are no picture to train on as they are: a scanner's whole slides, and a
# camera's raw data, of which every other program shows a small preview. Only the ending tells.
SLIDES = (".svs", ".ndpi", ".mrxs", ".scn", ".vms", ".bif")
RAW = (".dng", ".nef", ".nrw", ".cr2", ".arw", ".srf", ".sr2", ".pef", ".srw", ".3fr", ".iiq")

_STARTS = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
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
_CLASS_UID = re.compile(rb"(?:\x02\x00\x02\x00|\x08\x00\x16\x00)(?:UI..|....)([0-9.]+)", re.DOTALL)
_STORED = "1.2.840.10008.5.1.4.1.1."  # DICOM PS3.4, table B.5-1
_OTHER_CLASSES = {
    "1.2.840.10008.1.3.10": "a directory (DICOMDIR)",
    f"{_STORED}88.": "a structured report",
    f"{_STORED}104.": "a document",
    f"{_STORED}11.": "a presentation state",
    f"{_STORED}9.": "a waveform",
    f"{_STORED}66": "a segmentation or raw data",
    f"{_STORED}67": "a mapping of values",
    f"{_STORED}30": "a parametric map",
    f"{_STORED}481.": "radiotherapy data",
}
_RT_IMAGE = f"{_STORED}481.1"


def image_format(path: Path) -> str | None:
    """Return the name of the format of an image that we can read; None for any other file.

    Whole slides, raw files of cameras, and DICOM files without an image are other files. Nothing
    but the first bytes is read. Whether the rest is whole, `look_at_file` says.
    """
    if path.suffix.lower() in (*SLIDES, *RAW):
        return None
    try:
        if not S_ISREG(path.stat().st_mode):  # reading a pipe would wait for ever
            return None
        with path.open("rb") as file:
            return format_of(file.read(HEAD))
    except (OSError, ValueError):  # ValueError: a name with a NUL character
        return None


def format_of(head: bytes) -> str | None:
    """Return what `image_format` does of a file that begins with these bytes."""
    if _is_dicom(head):  # first, since its preamble may be the beginning of a TIFF
        return DICOM if other_dicom(head) is None else None
    for start, name in _STARTS.items():
        if head.startswith(start):
            return name
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _DIB_HEADERS:
        return "BMP"
    if _PPM.match(head):
        return "PPM"
    return "AVIF" if _is_avif(head) else None


def other_dicom(head: bytes) -> str | None:
    """Return the content of a DICOM file that says in its first bytes that it holds no image."""
    stored = _CLASS_UID.search(head) if _is_dicom(head) else None
    class_uid = stored.group(1).decode() if stored else ""
    if class_uid == _RT_IMAGE:
        return None
    kinds = (kind for start, kind in _OTHER_CLASSES.items() if class_uid.startswith(start))
    return next(kinds, None)


def _is_dicom(head: bytes) -> bool:
    return head[128:132] == b"DICM" or _is_bare_dicom(head)


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
