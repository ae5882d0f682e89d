"""Tables of text: the character between their columns, and their lines.

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


def read_delimited(path: str, text: str, declared: frozenset[str], sep: str | None) -> Grid:
    """Read a table's lines; DataError where the delimiter is in doubt, ValueError for damage.

    declared: the names of columns as `as_read` returns them.
    sep: the delimiter, where the study says so.
    """
    told = SEP_LINE.match(text)
    delimiter = sep or (told.group(1) if told else _delimiter(path, text, declared))
    lines = list(_parse(text, delimiter))
    return Grid(lines=filled(lines[1:] if told else lines), word="line")


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
            fix=f"say which in the study, as in sep={delimiters[0]!r}",
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
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 1
    try:
        for cells in reader:
            yield Line(number, cells)
            number = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"line {number}: {error}") from error
