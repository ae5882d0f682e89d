"""Workbooks: sheets, merged and hidden cells, formulas, dates and errors."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, time
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest

from objectives.contract import DataError
from objectives.data.layouts.listing import Listing
from tests.objectives.conftest import write_image
from tests.objectives.data.layouts.tables.tables import PLAIN, only, read

ROWS = (("image", "dx", "patient"), ("a", "x", "1"), ("b", "y", "2"))
Book = Callable[..., Listing]


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """Write t.xlsx beside the images a and b, and read it.

    change: is given the workbook, whose first sheet has the rows.
    """

    def read_book(change: Callable[[Any], object], *rows: Any, **declared: Any) -> Listing:
        book = openpyxl.Workbook()
        for row in rows or ROWS:
            book.active.append(row)
        change(book)
        book.save(tmp_path / "t.xlsx")
        for name in "ab":
            write_image(tmp_path / f"{name}.png")
        return read(tmp_path, replace(PLAIN, table="t.xlsx", **declared))

    return read_book


def nothing(book: Any) -> None:
    pass


def labels(listing: Listing) -> list[str]:
    return [each.label for each in listing.found]


def add_first(book: Any, *rows: Any) -> None:
    sheet = book.create_sheet("notes", 0)
    for row in rows:
        sheet.append(row)


def test_the_sheet_with_the_declared_columns_is_read_and_the_other_counted(book: Book) -> None:
    listing = book(lambda book: add_first(book, ("column", "meaning"), ("dx", "diagnosis")))
    assert labels(listing) == ["x", "y"]
    assert listing.left_out[0].paths == ("t.xlsx sheet 'notes'",)


def test_an_empty_sheet_is_not_counted(book: Book) -> None:
    assert not book(lambda book: book.create_sheet("Sheet2")).left_out


def test_two_sheets_that_may_be_the_table_are_refused_until_one_is_declared(book: Book) -> None:
    def change(book: Any) -> None:
        add_first(book, ROWS[0], ("a", "z", "1"), ("b", "z", "1"))

    with pytest.raises(DataError, match=r"the sheets 'notes' and 'Sheet' may .*sheet='notes'$"):
        book(change)
    assert labels(book(change, sheet="Sheet")) == ["x", "y"]
    with pytest.raises(DataError, match=r"no sheet 'sheet'; name one of 'notes', 'Sheet'$"):
        book(change, sheet="sheet")


def test_a_title_above_the_header_is_passed_over(book: Book) -> None:
    assert labels(book(nothing, ("Cohort",), (), *ROWS)) == ["x", "y"]


def test_a_value_that_is_merged_over_rows_holds_for_each(book: Book) -> None:
    listing = book(
        lambda book: book.active.merge_cells("C2:C3"), ROWS[0], ("a", "x", "P"), ("b", "y")
    )
    assert [each.group for each in listing.found] == ["P", "P"]
    assert not listing.problems


def test_a_value_that_is_merged_over_columns_is_told(book: Book) -> None:
    problem = only(book(lambda book: book.active.merge_cells("B3:C3")))
    assert (problem.level, problem.message[:30]) == ("error", "t.xlsx: the cells B3:C3 are me")


def hide_row(book: Any) -> None:
    book.active.row_dimensions[3].hidden = True


def hide_column(book: Any) -> None:
    book.active.column_dimensions["B"].hidden = True


def hide_sheet(book: Any) -> None:
    book.create_sheet("empty")
    book.active.sheet_state = "hidden"


@pytest.mark.parametrize("hide", [hide_row, hide_column, hide_sheet])
def test_hidden_cells_are_read_and_told(book: Book, hide: Callable[[Any], None]) -> None:
    listing = book(hide)
    assert labels(listing) == ["x", "y"]
    problem = only(listing)
    assert (problem.rule, problem.level) == ("C13", "warn")
    assert "read like the others; show them" in problem.message


def test_formulas_without_a_result_are_told(book: Book) -> None:
    problem = only(book(nothing, ROWS[0], ("a", "=CONCAT(C2)", "1"), ROWS[2]))
    assert "1 formula, for example in B2, has no result yet" in problem.message


def test_a_formula_whose_result_is_empty_text_is_no_problem(book: Book, tmp_path: Path) -> None:
    book(nothing, ROWS[0], ("a", "x", "=IF(TRUE,,)"), ROWS[2])
    with ZipFile(tmp_path / "t.xlsx") as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"]
    assert (sheet.count(b'r="C2"'), sheet.count(b"<f>")) == (1, 1)
    parts["xl/worksheets/sheet1.xml"] = sheet.replace(b'r="C2"', b'r="C2" t="str"')
    with ZipFile(tmp_path / "t.xlsx", "w") as changed:
        for name, part in parts.items():
            changed.writestr(name, part)
    assert not read(tmp_path, replace(PLAIN, table="t.xlsx")).problems


def test_a_table_of_nothing_but_such_formulas_says_so(book: Book) -> None:
    rows = [(name, "=CONCAT(C2)", "1") for name in "ab"]
    with pytest.raises(DataError, match="2 formulas, for example in B2, have no result yet"):
        book(nothing, ROWS[0], *rows)


@pytest.mark.parametrize("changed", [date(2024, 2, 1), time(2, 1)])
@pytest.mark.parametrize("column", ["label", "group"])
def test_names_that_excel_made_dates_are_told(book: Book, column: str, changed: object) -> None:
    row = ("b", changed, "2") if column == "label" else ("b", "y", changed)
    problem = only(book(nothing, *ROWS[:2], row))
    assert (problem.rule, problem.level) == ("C13", "error")
    assert "(t.xlsx row 3), are dates, as a spreadsheet makes" in problem.message


def test_an_id_that_excel_made_a_date_is_told_where_no_image_is_found(book: Book) -> None:
    with pytest.raises(DataError, match=r"column 'image': 1 of 1 cells, .* are dates"):
        book(nothing, ROWS[0], (date(2024, 2, 1), "x", "1"))


@pytest.mark.parametrize("error", ["#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?"])
def test_a_spreadsheets_errors_are_told_as_such(book: Book, error: str) -> None:
    listing = book(nothing, *ROWS[:2], ("b", error, "2"))
    assert labels(listing) == ["x"]
    assert f"'{error}' (t.xlsx row 3), are errors of a spreadsheet" in only(listing).message


def test_true_is_the_same_as_a_cell_and_as_text(book: Book) -> None:
    assert labels(book(nothing, ROWS[0], ("a", True, "1"), ("b", "TRUE", "2"))) == ["TRUE"] * 2


def test_zeros_that_a_number_lost_are_named_with_the_file(book: Book, tmp_path: Path) -> None:
    write_image(tmp_path / "007.png")
    with pytest.raises(DataError, match=r"'7'; the nearest file, '007.png', differs in leading"):
        book(nothing, ROWS[0], (7, "x", "1"))


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("xl/workbook.bin", "a binary Excel file"),
        ("content.xml", "an OpenDocument file"),
        ("t.csv", "a zip archive; unpack it"),
    ],
)
def test_another_zipped_file_is_called_by_its_name(tmp_path: Path, part: str, found: str) -> None:
    with ZipFile(tmp_path / "t.csv", "w") as archive:
        archive.writestr(part, "")
    write_image(tmp_path / "a.png")
    with pytest.raises(DataError, match=f"t.csv: {found}"):
        read(tmp_path, PLAIN)
