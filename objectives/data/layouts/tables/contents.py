"""The text of a table's file; other files than text and workbooks are refused with the way."""

import re
from zipfile import ZipFile

from objectives.contract import DataError

# The first bytes of other files, their names, and the way to a table.
EXPORT = "export it as CSV in UTF-8 or XLSX"
UNPACK = "unpack it"
OTHER_FORMATS = {
    b"\xd0\xcf\x11\xe0": ("an Excel file of before 2007 or one with a password", EXPORT),
    b"PAR1": ("a Parquet file", EXPORT),
    b"SQLite format 3": ("an SQLite database", EXPORT),
    b"\x89HDF": ("an HDF5 file", EXPORT),
    b"$FL": ("an SPSS file", EXPORT),
    b"%PDF": ("a PDF", EXPORT),
    b"{\\rtf": ("a text document (RTF)", EXPORT),
    b"\x1f\x8b": ("a compressed file (gzip)", UNPACK),
    b"BZh": ("a compressed file (bzip2)", UNPACK),
    b"\xfd7zXZ": ("a compressed file (xz)", UNPACK),
    b"7z\xbc\xaf": ("an archive (7z)", UNPACK),
    b"version https://git-lfs": (
        "a pointer of Git LFS, not the table",
        "bring it with git lfs pull",
    ),
}
MARKUP = re.compile(rb"\s*<(!doctype|html|table|\?xml|stata)", re.IGNORECASE)
ZIP = b"PK\x03\x04"
WORKBOOK = "xl/workbook.xml"
ZIPPED = {
    "xl/workbook.bin": "a binary Excel file (XLSB)",
    "content.xml": "an OpenDocument file (ODS)",
    "Index/Document.iwa": "a Numbers file",
}
BYTE_ORDER_MARKS = {
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
# Without such a mark: for each encoding, the places of four bytes that are zero in ASCII text.
ZEROS = {
    "utf-32-le": (1, 2, 3),
    "utf-32-be": (0, 1, 2),
    "utf-16-le": (1, 3),
    "utf-16-be": (0, 2),
}
HEAD = 64  # bytes of the header that tell an encoding without a mark


def is_workbook(path: str, contents: bytes) -> bool:
    """Whether the file is an XLSX workbook; DataError for another kind of file that has no text.

    path: the file's name; a damaged workbook is known by its ending.
    """
    for start, (kind, fix) in OTHER_FORMATS.items():
        if contents.startswith(start):
            raise DataError(f"{path}: {kind}", fix=fix)
    if MARKUP.match(contents):
        raise DataError(f"{path}: a page of HTML or XML, whatever its ending says", fix=EXPORT)
    if contents.startswith(b"PK") and path.lower().endswith((".xlsx", ".xlsm")):
        return True
    return contents.startswith(ZIP)


def check_workbook(path: str, archive: ZipFile) -> None:
    """Raise DataError for a ZIP archive that is not an XLSX workbook."""
    names = archive.namelist()
    if WORKBOOK not in names:
        kind = next((kind for name, kind in ZIPPED.items() if name in names), "a ZIP archive")
        raise DataError(f"{path}: {kind}", fix=EXPORT if kind in ZIPPED.values() else UNPACK)


def decode(path: str, contents: bytes) -> str:
    """Decode a table's text; DataError with the line where it is not text in Unicode.

    UTF-8, UTF-16 and UTF-32 are told apart by their marks, or by the zeros between ASCII letters.
    """
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if contents.startswith(mark):
            return _without_zeros(path, contents.decode(encoding))
    if b"\0" in contents[:HEAD]:
        for encoding, places in ZEROS.items():
            if all(_is_zero(contents, place) == (place in places) for place in range(4)):
                return _without_zeros(path, contents.decode(encoding))
    try:
        return _without_zeros(path, contents.decode())
    except UnicodeDecodeError as error:
        line = contents.count(b"\n", 0, error.start) + 1
        around = contents[max(0, error.start - 8) : error.start + 8].decode("cp1252", "replace")
        raise DataError(
            f"{path}: not in UTF-8: line {line} has the byte {contents[error.start]:#04x} (in "
            f"Windows-1252 the text is {' '.join(around.split())!r})",
            fix="save it again as CSV in UTF-8, in Excel as `CSV UTF-8`",
        ) from error


def _is_zero(contents: bytes, place: int) -> bool:
    """Whether every fourth byte of the header is zero, from a place on."""
    return not any(contents[: min(HEAD, len(contents) // 4 * 4)][place::4])


def _without_zeros(path: str, text: str) -> str:
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(
            f"{path}: line {line} has a zero character, which no label or name can hold",
            fix="remove it, or export the table again",
        )
    return text
