"""The kind of a file that is not what its name says, told from its first bytes."""

from typing import NamedTuple

UNPACK = "unpack it"


class Kind(NamedTuple):
    """A kind of file.

    name: with its article.
    fix: the way to the file that was meant; "" where it depends on what was meant.
    """

    name: str
    fix: str = ""


_STARTS = {
    b"version https://git-lfs": Kind("a pointer of Git LFS", "fetch the file with `git lfs pull`"),
    b"/annex/objects/": Kind("a pointer of git-annex", "fetch the file with `git annex get`"),
    b"\x1f\x8b": Kind("a file compressed with gzip", UNPACK),
    b"BZh": Kind("a file compressed with bzip2", UNPACK),
    b"\xfd7zXZ": Kind("a file compressed with xz", UNPACK),
    b"\x28\xb5\x2f\xfd": Kind("a file compressed with zstd", UNPACK),
    b"7z\xbc\xaf": Kind("a 7z archive", UNPACK),
    b"Rar!": Kind("a RAR archive", UNPACK),
    b"PK\x03\x04": Kind("a zip archive or an Office file", UNPACK),
    b"\xd0\xcf\x11\xe0": Kind("an Excel file of before 2007 or one with a password"),
    b"PAR1": Kind("a Parquet file"),
    b"SQLite format 3": Kind("an SQLite database"),
    b"$FL": Kind("an SPSS file"),
    b"%PDF": Kind("a PDF"),
    b"{\\rtf": Kind("a text document (RTF)"),
    b"\x89HDF": Kind("an HDF5 file"),
    b"\x93NUMPY": Kind("a NumPy array"),
    b"GGUF": Kind("a GGUF file"),
    b"\xff\x0a": Kind("a JPEG XL image"),
    b"\x00\x00\x00\x0cJXL ": Kind("a JPEG XL image"),
    b"II\xbc": Kind("a JPEG XR image"),
    b"\x00\x00\x01\x00": Kind("a Windows icon, which may hold several pictures"),
    b"8BPS": Kind("a Photoshop file"),
    b"v/1\x01": Kind("an OpenEXR image"),
}


def kind_of(head: bytes) -> Kind | None:
    """Return the kind of a file that begins with these bytes; None for one not known here."""
    return next((kind for start, kind in _STARTS.items() if head.startswith(start)), None)
