"""Tables of text: their encoding, the character between their columns, and their lines.

The csv module reads them and not pandas, which numbers no lines and renames columns that are called
alike.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from itertools import islice

from objectives.contract import DataError
from objectives.data.layouts.tables.grids import (
    LOOKED_AT,
    Grid,
    Line,
    filled,
    likeliest_header,
)

DELIMITERS = ",;\t|"
SPACE = " "  # only where no other one separates the declared columns: titles are full of it
# The first line by which some programs tell Excel the delimiter.
SEP_LINE = re.compile(r'\A"?sep=(.)"?[ \t]*(\r\n|\r|\n)', re.IGNORECASE)
FORCED = re.compile(r'\A="(.*)"\Z', re.DOTALL)  # a text that Excel must not take for a number
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
MARK = "\ufeff"  # tables that were put together have several
HEAD = 64  # bytes of the header that tell an encoding without a mark


def decode(path: str, contents: bytes, encoding: str | None = None) -> str:
    """Decode a table's text; DataError with the line where it is not text in Unicode.

    UTF-8, UTF-16 and UTF-32 are told apart by their marks, or by the zeros between ASCII letters.
    encoding: of other text, where the study says so.
    """
    unicode = _unicode(contents)
    try:
        text = contents.decode(unicode)
    except UnicodeDecodeError as error:
        if unicode != "utf-8":
            raise
        text = _decode_as(path, contents, encoding, error)
    return _without_zeros(path, text).lstrip(MARK)


def read_delimited(path: str, text: str, declared: frozenset[str], sep: str | None) -> Grid:
    """Read a table's lines; DataError where the delimiter is in doubt, ValueError for damage.

    declared: the names of columns as `as_read` returns them.
    sep: the delimiter, where the study says so.
    """
    told = SEP_LINE.match(text)
    delimiter = sep or (told.group(1) if told else _delimiter(path, text, declared))
    lines = list(_parse(text, delimiter))
    return Grid(lines=filled(lines[1:] if told else lines), is_workbook=False)


def _delimiter(path: str, text: str, declared: frozenset[str]) -> str:
    """Find the delimiter that separates the declared columns, or makes rows of one length."""
    samples = {each: filled(_sample(text, each)) for each in DELIMITERS}
    named = {each: likeliest_header(lines, declared).named for each, lines in samples.items()}
    if most := max(named.values()):
        return _only(path, [each for each, count in named.items() if count == most])
    if likeliest_header(filled(_sample(text, SPACE)), declared).named > 1:
        return SPACE
    return _only(path, _even(samples) or [DELIMITERS[0]])


def _only(path: str, delimiters: Sequence[str]) -> str:
    if len(delimiters) > 1:
        raise DataError(
            f"{path}: {' or '.join(map(repr, delimiters))} may separate its columns",
            fix=f"say which in the study's Table(...), as in sep={delimiters[0]!r}",
        )
    return delimiters[0]


def _even(samples: Mapping[str, Sequence[Line]]) -> list[str]:
    """Return the delimiters that cut every line into the same number of cells, over one."""
    widths = {each: {len(line.cells) for line in lines} for each, lines in samples.items()}
    return [each for each, counts in widths.items() if len(counts) == 1 and counts != {1}]


def _sample(text: str, delimiter: str) -> list[Line]:
    try:
        return list(islice(_parse(text, delimiter), LOOKED_AT))
    except ValueError:
        return []


def _parse(text: str, delimiter: str) -> Iterator[Line]:
    """Read the lines, with the number of the first where a cell in quotes has several."""
    # Untranslated, so that a line may end in LF, CRLF or CR, and line breaks in quotes stay.
    reader = csv.reader(
        StringIO(text, newline=""),
        delimiter=delimiter,
        strict=True,
        skipinitialspace=re.search(rf'{re.escape(delimiter)} +"(?!")', text) is not None,
    )
    number, has_forced = 1, '="' in text
    try:
        for cells in reader:
            yield Line(number, [FORCED.sub(r"\1", cell) for cell in cells] if has_forced else cells)
            number = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"line {number}: {error}") from error


def _unicode(contents: bytes) -> str:
    """Return the encoding that a mark or the zeros between ASCII letters show, else UTF-8."""
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if contents.startswith(mark):
            return encoding
    if b"\0" in contents[:HEAD]:
        for encoding, places in ZEROS.items():
            if all(_is_zero(contents, place) == (place in places) for place in range(4)):
                return encoding
    return "utf-8"


def _decode_as(path: str, contents: bytes, encoding: str | None, error: UnicodeDecodeError) -> str:
    """Decode text that is not in UTF-8; DataError where no encoding or a wrong one is declared."""
    if encoding is None:
        line = contents.count(b"\n", 0, error.start) + 1
        around = contents[max(0, error.start - 8) : error.start + 8].decode("cp1252", "replace")
        raise DataError(
            f"{path}: not in UTF-8: line {line} has the byte {contents[error.start]:#04x} (in "
            f"Windows-1252 the text is {' '.join(around.split())!r})",
            fix="say its encoding in the study's Table(...), as in encoding='cp1252', or save it "
            "again in UTF-8, as Notepad can",
        ) from error
    try:
        return contents.decode(encoding)
    except UnicodeDecodeError as other:
        line = contents.count(b"\n", 0, other.start) + 1
        raise DataError(
            f"{path}: line {line} is neither in UTF-8 nor in {encoding}",
            fix="correct the study's encoding",
        ) from other


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
