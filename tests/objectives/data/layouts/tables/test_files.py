"""Tables as they come: delimiters, headers, encodings and other formats, read or refused."""

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from objectives.contract import DataError
from objectives.data.layouts.listing import Listing
from tests.objectives.conftest import write_image
from tests.objectives.data.layouts.tables.conftest import Write
from tests.objectives.data.layouts.tables.tables import (
    HEADER,
    PLAIN,
    only,
    read,
    write_csv,
    write_xlsx,
)
from tests.objectives.data.left_out import numbers

LINES = (HEADER, "a,x,1", "b,y,2")
TEXT = "\n".join(LINES) + "\n"


def read_text(folder: Path, text: str | bytes, **change: object) -> Listing:
    """Read a table of this text, beside the images a and b."""
    for name in "ab":
        write_image(folder / f"{name}.png")
    (folder / "t.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(folder, replace(PLAIN, **change))


def labels(listing: Listing) -> list[str]:
    return [each.label for each in listing.found]


@pytest.mark.parametrize("delimiter", list(";\t| "))
def test_any_usual_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    assert labels(read_text(tmp_path, TEXT.replace(",", delimiter))) == ["x", "y"]


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;"])
def test_the_line_that_tells_excel_the_delimiter_is_followed(tmp_path: Path, line: str) -> None:
    listing = read_text(tmp_path, f"{line}\r\n" + TEXT.replace(",", ";"))
    assert labels(listing) == ["x", "y"]
    assert not listing.left_out


@pytest.mark.parametrize("extra", ['"age, in years, at visit, or null"', '"a|b|c|d|e"'])
def test_a_delimiter_in_quotes_separates_nothing(tmp_path: Path, extra: str) -> None:
    text = f"image;dx;{extra};patient\na;x;1;1\nb;y;1;2\n"
    assert labels(read_text(tmp_path, text)) == ["x", "y"]


def test_two_possible_delimiters_are_refused_until_one_is_declared(tmp_path: Path) -> None:
    text = "image,dx;patient\na,x;1\nb,y;2\n"
    with pytest.raises(DataError, match=r"t.csv: ',' or ';' may separate .*, as in sep=','$"):
        read_text(tmp_path, text, label="image", group="patient")
    with pytest.raises(DataError, match=r"no column 'dx' among 'image', 'dx;patient'"):
        read_text(tmp_path, text, sep=",")


def test_any_character_that_is_declared_separates(tmp_path: Path) -> None:
    assert labels(read_text(tmp_path, TEXT.replace(",", "^"), sep="^")) == ["x", "y"]


@pytest.mark.parametrize(
    "above", ["# one\n# two\n", "Cohort 2021\n\n", "Cohort,2021\nby,us\n", '"a\nb"\n', "\n# one\n"]
)
def test_lines_above_the_header_are_passed_over_and_counted(tmp_path: Path, above: str) -> None:
    listing = read_text(tmp_path, above + TEXT)
    assert labels(listing) == ["x", "y"]
    (left_out,) = listing.left_out
    assert left_out.reason == "lines above the header"
    assert left_out.paths[0] in ("t.csv line 1", "t.csv line 2")


def test_below_titles_one_declared_column_is_enough_for_a_header(tmp_path: Path) -> None:
    write_csv(tmp_path / "more.csv", "case,dx,patient", "1,x,1", "2,y,2")
    text = "# exported\nimage,case\na,1\nb,2\n"
    assert labels(read_text(tmp_path, text, join=("more.csv",))) == ["x", "y"]


def test_two_possible_headers_are_refused_until_one_is_declared(tmp_path: Path) -> None:
    text = "patient,finding,\nimage,dx,patient\na,x,1\nb,y,2\n"
    with pytest.raises(DataError, match=r"line 1 and line 2 .*: skip_rows=0 or skip_rows=1$"):
        read_text(tmp_path, text)
    assert labels(read_text(tmp_path, text, skip_rows=1)) == ["x", "y"]


def test_more_skipped_rows_than_there_are_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"skip_rows=9 leaves none of its 3 rows; correct it$"):
        read_text(tmp_path, TEXT, skip_rows=9)


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"]
)
def test_unicode_is_read_with_and_without_its_mark(tmp_path: Path, encoding: str) -> None:
    text = TEXT.replace(",x,", ",bösartig,")
    assert labels(read_text(tmp_path, text.encode(encoding))) == ["bösartig", "y"]


@pytest.mark.parametrize("encoding", ["cp1252", "mac-roman", "cp1251"])
def test_another_encoding_is_refused_with_its_line(tmp_path: Path, encoding: str) -> None:
    text = TEXT.replace(",y,", ",б," if encoding == "cp1251" else ",bösartig,")
    with pytest.raises(
        DataError, match=r"t.csv: not in UTF-8: line 3 has the byte .* encoding='cp"
    ):
        read_text(tmp_path, text.encode(encoding))
    assert labels(read_text(tmp_path, text.encode(encoding), encoding=encoding)) == [
        "x",
        "б" if encoding == "cp1251" else "bösartig",
    ]


def test_a_declared_encoding_leaves_tables_in_unicode_alone(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-16"):
        text = TEXT.replace(",x,", ",bösartig,").encode(encoding)
        assert labels(read_text(tmp_path, text, encoding="cp1252")) == ["bösartig", "y"]
    with pytest.raises(DataError, match="line 2 is neither in UTF-8 nor in ascii; correct"):
        read_text(tmp_path, TEXT.replace(",x,", ",ö,").encode("cp1252"), encoding="ascii")


def test_marks_of_tables_that_were_put_together_are_no_part_of_a_name(tmp_path: Path) -> None:
    assert labels(read_text(tmp_path, "\ufeff\ufeff" + TEXT)) == ["x", "y"]


@pytest.mark.parametrize("change", [{"sep": ","}, {"encoding": "cp1252"}])
def test_an_argument_about_text_is_refused_for_a_workbook(
    tmp_path: Path, change: dict[str, str]
) -> None:
    write_image(tmp_path / "a.png")
    write_xlsx(tmp_path / "t.csv", HEADER.split(","), ("a", "x", "1"))
    with pytest.raises(DataError, match=f"study says {next(iter(change))}=.*of text files; leave"):
        read(tmp_path, replace(PLAIN, **change))
    write_csv(tmp_path / "more.csv", "image,site", "a,s")
    assert labels(read(tmp_path, replace(PLAIN, join=("more.csv",), **change))) == ["x"]


def test_a_sheet_of_a_text_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"t.csv: the study says sheet='Data', which is of workb"):
        read_text(tmp_path, TEXT, sheet="Data")


def test_a_zero_character_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"t.csv: line 2 has a zero character, .*; remove it"):
        read_text(tmp_path, TEXT.replace(",x,", ",x\0y,"))


@pytest.mark.parametrize(
    ("contents", "found"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "an Excel file of before 2007"),
        (b"PAR1rest", "a Parquet file; export it as CSV"),
        (b"<html><table>", "a page of HTML or XML"),
        (b"version https://git-lfs.github.com/spec/v1", "a pointer of Git LFS"),
        (gzip.compress(TEXT.encode(), mtime=0), "a file compressed with gzip; unpack it"),
    ],
)
def test_another_format_is_called_by_its_name(tmp_path: Path, contents: bytes, found: str) -> None:
    with pytest.raises(DataError, match=f"t.csv: {found}"):
        read_text(tmp_path, contents)


def test_the_ending_of_a_table_does_not_matter(tmp_path: Path) -> None:
    read_text(tmp_path, TEXT)
    (tmp_path / "t.csv").rename(tmp_path / "t.xlsx")
    assert labels(read(tmp_path, replace(PLAIN, table="t.xlsx"))) == ["x", "y"]


@pytest.mark.parametrize("header", ["image,dx,patient,dx", "image,dx,patient,patient "])
def test_a_column_of_the_study_that_stands_twice_is_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(DataError, match=r"called '(dx|patient)': number (2|3) and 4; rename or"):
        read_text(tmp_path, f"{header}\na,x,1,y\nb,y,2,x\n")


def test_a_column_that_the_study_does_not_use_may_stand_twice_and_is_counted(
    write: Write,
) -> None:
    listing = read(write("a,x,1,5,6", "b,y,2,5,6", header=f"{HEADER},age,age", images="ab"), PLAIN)
    assert [each.paths for each in listing.left_out] == [("t.csv column 5 'age'",)]


@pytest.mark.parametrize(
    "other", ["DX", "d x", "dx\u200b", "dх"]
)  # the last with a Cyrillic letter
def test_a_column_that_reads_like_one_of_the_study_is_told(write: Write, other: str) -> None:
    listing = read(write("a,x,1,y", "b,y,2,x", header=f"{HEADER},{other}", images="ab"), PLAIN)
    (problem,) = listing.problems
    assert (problem.rule, problem.level) == ("C13", "error")
    assert problem.message.startswith("t.csv: the columns 'dx' and ")


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("d\u00adx", r"write 'd\\xadx' in the study, or rename the column in the table"),
        ("DX", "but 'DX', which looks the same or nearly so; write 'DX'"),
        ("diagnosis", "no column 'dx' among 'image', 'diagnosis', 'patient'; correct the study"),
    ],
)
def test_a_column_in_another_spelling_is_named_and_no_far_one(
    write: Write, written: str, hint: str
) -> None:
    with pytest.raises(DataError, match=hint):
        read(write("a,x,1", header=f"image,{written},patient"), PLAIN)


def test_a_column_that_one_of_two_tables_lacks_is_named(write: Write) -> None:
    folder = write("a,x,1", images="ab")
    write_csv(folder / "u.csv", "image,Dx,patient", "b,y,2")
    with pytest.raises(DataError, match=r"u.csv: no column 'dx', but 'Dx', which looks the same"):
        read(folder, replace(PLAIN, table=("t.csv", "u.csv")))


def test_a_row_of_too_many_cells_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 3 has 4 cells, the header 3; name every"):
        read_text(tmp_path, TEXT.replace("b,y,2", "b,y,2,3"))


@pytest.mark.parametrize(
    "text",
    ['image, dx, patient\n"a", "x", "1"\n"b", "y", "2"\n', TEXT.replace("a,x", '="a",="x"')],
)
def test_quotes_after_a_space_and_texts_forced_on_excel_are_read(tmp_path: Path, text: str) -> None:
    assert labels(read_text(tmp_path, text)) == ["x", "y"]


def test_a_row_that_ends_before_a_column_is_told(tmp_path: Path) -> None:
    problem = only(read_text(tmp_path, f"{HEADER},age\na,x,1\nb,2\n"))
    assert (problem.rule, problem.level) == ("C13", "warn")
    assert "1 of 2 rows, for example line 3, end before the column 'patient'" in problem.message


def test_lines_of_cells_with_line_breaks_keep_their_number(tmp_path: Path) -> None:
    text = f'{HEADER},note\na,x,1,"two\r\nlines"\ngone,y,2,\nb,y,2,\n'
    (problem,) = read_text(tmp_path, text).problems
    assert "'gone' (t.csv line 4)" in problem.message


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_a_table_without_a_row_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match=r"t.csv: cannot be read as a table \(it is empty\)"):
        read_text(tmp_path, text)


def test_rows_without_a_file_are_left_out_by_line(tmp_path: Path) -> None:
    listing = read_text(tmp_path, TEXT + "gone,y,3\n")
    assert numbers(listing.left_out) == {"not there": 1}
    assert listing.left_out[0].paths == ("t.csv line 4",)
