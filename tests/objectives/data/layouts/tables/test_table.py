from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from objectives.contract import DataError
from objectives.data.layouts.listing import Listing
from spaces.data import Table
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


def paths(listing: Listing) -> list[str]:
    return [each.file.path for each in listing.found]


@pytest.mark.parametrize("name", ["a", "a.png", "./a.png", "scans/a", r"data\scans\a.png"])
def test_an_image_is_found_by_id_name_or_path(tmp_path: Path, name: str) -> None:
    write_image(tmp_path / "scans" / "a.png")
    write_csv(tmp_path / "t.csv", HEADER, f"{name},x,1")
    assert paths(read(tmp_path, PLAIN)) == ["scans/a.png"]


def test_an_image_of_another_folder_is_not_taken_for_it(tmp_path: Path) -> None:
    write_image(tmp_path / "test" / "1.png")
    write_image(tmp_path / "train" / "2.png")
    write_csv(tmp_path / "t.csv", HEADER, "train/1.png,x,1", "train/2.png,y,2")
    listing = read(tmp_path, PLAIN)
    assert paths(listing) == ["train/2.png"]
    assert only(listing).paths == ("train/1.png",)


def test_rows_without_a_file_are_counted_and_named(write: Write) -> None:
    listing = read(write("a,x,1", "b,y,2", "gone,x,3", ",y,4", images="ab"), PLAIN)
    assert (paths(listing), numbers(listing.left_out)) == (["a.png", "b.png"], {"not there": 2})
    problem = only(listing)
    assert (problem.rule, problem.level) == ("C04", "error")
    assert problem.paths == ("gone", "t.csv line 5")
    assert problem.message.endswith("bring the files back or remove the rows")


def test_files_without_a_row_are_counted_and_named(write: Write) -> None:
    listing = read(write("a,x,1", "b,y,2", images="abcd"), PLAIN)
    assert numbers(listing.left_out) == {"not in the table": 2}
    assert only(listing).paths == ("c.png", "d.png")


def test_files_in_folders_that_the_table_does_not_name_are_ignored(
    write: Write,
) -> None:
    folder = write("a,x,1", "b,y,2", images="ab")
    write_image(folder / "figures" / "overview.png")
    assert not read(folder, PLAIN).problems


def test_an_id_of_two_files_is_named_with_the_way_to_tell_them_apart(tmp_path: Path) -> None:
    for name in ("images/a.jpg", "masks/a.png", "images/b.jpg"):
        write_image(tmp_path / name)
    write_csv(tmp_path / "t.csv", HEADER, "a,x,1", "b,y,2")
    listing = read(tmp_path, PLAIN)
    assert numbers(listing.left_out) == {"several files for one id": 1}
    assert 'path="images/{id}"' in only(listing).message
    assert paths(read(tmp_path, replace(PLAIN, path="images/{image}"))) == [
        "images/a.jpg",
        "images/b.jpg",
    ]


def test_an_image_named_twice_is_read_once_and_named(write: Write) -> None:
    listing = read(write("a,x,1", "b,y,2", "a,y,1", images="ab"), PLAIN)
    assert [each.label for each in listing.found] == ["x", "y"]
    assert (only(listing).rule, only(listing).paths) == ("C04", ("a.png",))


def test_rows_that_repeat_another_one_are_counted_and_no_problem(write: Write) -> None:
    # As RSNA's pneumonia labels, with a row per box.
    listing = read(
        write("a,x,1,9", "b,y,2,", "a,x,1,7", header=f"{HEADER},box", images="ab"), PLAIN
    )
    assert [each.label for each in listing.found] == ["x", "y"]
    assert numbers(listing.left_out) == {"rows that repeat another one": 1}
    assert not listing.problems


def test_a_glob_gives_a_row_all_its_images(tmp_path: Path) -> None:
    for name in ("p1/left.png", "p1/right.png", "p10/left.png", "p2/[x].png"):
        write_image(tmp_path / name)
    write_csv(tmp_path / "t.csv", HEADER, "p1,x,1", "p10,y,2")
    listing = read(tmp_path, replace(PLAIN, path="{image}/*"))
    assert paths(listing) == ["p1/left.png", "p1/right.png", "p10/left.png"]
    assert only(listing).paths == ("p2/[x].png",)


def test_brackets_in_an_id_are_no_glob(tmp_path: Path) -> None:
    for name in ("Anemic-001 [2].png", "Anemic-001 2.png"):
        write_image(tmp_path / name)
    write_csv(tmp_path / "t.csv", HEADER, "Anemic-001 [2],x,1", "Anemic-001 2,y,2")
    listing = read(tmp_path, replace(PLAIN, path="{image}*"))
    assert [each.label for each in listing.found] == ["y", "x"]
    assert not listing.problems


def test_rows_come_by_path_and_numbers_by_value_whatever_the_tables_order(write: Write) -> None:
    listing = read(write("c,10,1", "a,9,2", "b,9,3"), PLAIN)
    assert paths(listing) == ["a.png", "b.png", "c.png"]
    assert listing.classes == ("9", "10")


def test_skipped_and_missing_labels_are_counted_and_names_are_given(write: Write) -> None:
    declared = replace(PLAIN, skip=("y",), names={"x": "mole", "y": "wart"})
    listing = read(write("a,x,1", "b,y,2", "c,,3"), declared)
    assert listing.classes == ("mole",)
    assert numbers(listing.left_out) == {
        "with the skipped label 'wart'": 1,
        "without a label in the table": 1,
    }


@pytest.mark.parametrize(
    ("skip", "level", "says"),
    [("nevsu", "error", "did you mean 'nevus'?"), ("other", "warn", "occurs nowhere in the data;")],
)
def test_a_skipped_label_that_occurs_nowhere_is_told(
    write: Write, skip: str, level: str, says: str
) -> None:
    problem = only(read(write("a,nevus,1", "b,x,2", "c,x,3"), replace(PLAIN, skip=(skip,))))
    assert (problem.rule, problem.level) == ("C09", level)
    assert says in problem.message


def test_a_merged_class_takes_the_name_of_most_images(write: Write) -> None:
    declared = replace(PLAIN, merge_alike=True)
    assert read(write("a,Nevus,1", "b,nevus,2", "c,nevus,3"), declared).classes == ("nevus",)


@pytest.mark.parametrize("other", ["Nevus", "nevus "])
def test_labels_that_collide_by_case_or_spaces_are_named(write: Write, other: str) -> None:
    listing = read(write("a,nevus,1", f"b,{other},2", images="ab"), PLAIN)
    assert (only(listing).rule, len(listing.classes)) == ("C09", 2)


def test_a_row_without_a_group_is_a_group_of_its_own(write: Write) -> None:
    listing = read(write("a,x,1", "b,y,", "c,y,"), PLAIN)
    assert [each.group for each in listing.found] == ["1", "b.png", "c.png"]


@pytest.mark.parametrize("group", [None, "patient"])
def test_the_images_of_a_row_without_a_group_stay_together(
    tmp_path: Path, group: str | None
) -> None:
    for name in ("1/a", "1/b", "2/a"):
        write_image(tmp_path / f"{name}.png")
    write_csv(tmp_path / "t.csv", "case,dx,patient", "1,x,", "2,y,")
    listing = read(tmp_path, Table("t.csv", path="{case}/*", label="dx", group=group))
    assert [each.group for each in listing.found] == ["1/a.png", "1/a.png", "2/a.png"]


def test_a_group_that_its_pattern_does_not_fit_is_an_error(write: Write) -> None:
    folder = write("a,x,P1_2", "b,y,P2")
    with pytest.raises(DataError, match=r"'P2' gives no group by .* or this row$"):
        read(folder, replace(PLAIN, group_pattern=r"^(P\d)_"))


@pytest.mark.parametrize("pattern", [r"^site(\d+)?", r"^site(\d*)"])
def test_a_group_pattern_whose_group_matches_nothing_names_the_cell(
    write: Write, pattern: str
) -> None:
    folder = write("a,x,site1", "b,y,site", images="ab")
    with pytest.raises(DataError, match=r"'site' gives no group by .* or this row$"):
        read(folder, replace(PLAIN, group_pattern=pattern))


def test_a_label_pattern_whose_group_matches_nothing_gives_no_label(write: Write) -> None:
    folder = write("a,grade 1,1", "b,grade 2,2", "c,grade,3")
    listing = read(folder, replace(PLAIN, label_pattern=r"grade ?(\d)?"))
    assert listing.classes == ("1", "2")
    assert numbers(listing.left_out) == {"without a label in the table": 1}


@pytest.mark.parametrize("word", ["val", "Valid", "validation"])
def test_a_split_column_is_read_in_the_usual_words(write: Write, word: str) -> None:
    folder = write("a,x,1,train", f"b,y,2,{word}", "c,y,3,TEST", header=f"{HEADER},set")
    splits = [each.split for each in read(folder, replace(PLAIN, split="set")).found]
    assert splits == ["train", "val", "test"]


def test_a_word_that_is_no_split_is_an_error(write: Write) -> None:
    folder = write("a,x,1,train", "b,y,2,maybe", header=f"{HEADER},set", images="ab")
    with pytest.raises(DataError, match="'maybe' is no split; say train, val or test"):
        read(folder, replace(PLAIN, split="set"))


def test_a_column_that_no_table_has_is_looked_for_in_joined_ones(write: Write) -> None:
    folder = write("a,x,1")
    write_csv(folder / "more.csv", "image,Hospital", "a,s")
    with pytest.raises(
        DataError, match=r"t.csv and more.csv: no column 'hospital', but 'Hospital', which looks"
    ):
        read(folder, replace(PLAIN, join=("more.csv",), site="hospital"))


@pytest.mark.parametrize(
    ("change", "fix"),
    [
        ({"label": "dxs"}, "no column 'dxs'; did you mean 'dx'"),
        ({"group": "patient_id"}, "no column 'patient_id'; did you mean 'patient'"),
        ({"group": "case*"}, "the group 'case\\*' names no column; name one"),
        ({"path": "{img}.png"}, "no column 'img'; did you mean 'image'"),
        ({"metadata": {"imag": "number"}}, "no column 'imag'; did you mean 'image'"),
    ],
)
def test_a_missing_column_is_named_with_the_nearest(
    write: Write, change: dict[str, Any], fix: str
) -> None:
    with pytest.raises(DataError, match=f"t.csv: {fix}"):
        read(write("a,x,1"), replace(PLAIN, **change))


def test_a_declaration_that_finds_nothing_says_so(write: Write) -> None:
    folder = write("a1,x,1", "b1,y,2")
    with pytest.raises(DataError, match=r"none of the images .* 'a1'; correct the study's `path`"):
        read(folder, PLAIN)


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        ("-4.97027E+18", "their last digits lost, so that cases merge"),
        ("123.0", "read without the `.0`"),
        ("NaN", "missing values written as a word"),
    ],
)
def test_ids_that_were_numbers_are_named(write: Write, cell: str, rule: str) -> None:
    problem = only(read(write("a,x,1", f"b,y,{cell}", images="ab"), PLAIN))
    assert (problem.rule, problem.level) == ("C13", "error")
    assert rule in problem.message
    assert repr(cell) in problem.message


def test_a_missing_value_written_as_a_word_is_named_in_metadata_too(write: Write) -> None:
    folder = write("a,x,1,male", "b,y,2,NaN", header=f"{HEADER},sex", images="ab")
    listing = read(folder, replace(PLAIN, metadata={"sex": "category"}))
    assert [each.metadata for each in listing.found] == [("male",), (None,)]
    assert only(listing).message.startswith("column 'sex': 1 of 2 cells, for example 'NaN'")


def test_a_float_id_still_finds_its_image(tmp_path: Path) -> None:
    write_image(tmp_path / "12.png")
    write_csv(tmp_path / "t.csv", HEADER, "12.0,x,1")
    assert paths(read(tmp_path, PLAIN)) == ["12.png"]


def test_a_hexadecimal_id_is_no_number(write: Write) -> None:
    assert not read(write("a,x,1234e567", "b,y,12e4", images="ab"), PLAIN).problems


def test_a_long_id_that_excel_made_a_number_is_named(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png")
    rows = (("image", "dx", "patient"), ("a", "x", 1234567890123456789))
    write_xlsx(tmp_path / "t.xlsx", *rows)
    listing = read(tmp_path, replace(PLAIN, table="t.xlsx"))
    assert (only(listing).rule, listing.found[0].group) == ("C13", "1.23456789012346E+18")


def test_a_text_among_numbers_is_missing_and_named(write: Write) -> None:
    folder = write("a,x,1,85+", 'b,y,2,"41,5"', header=f"{HEADER},age", images="ab")
    listing = read(folder, replace(PLAIN, metadata={"age": "number"}))
    assert [each.metadata for each in listing.found] == [(None,), (41.5,)]
    assert [problem.rule for problem in listing.problems] == ["C13", "C13"]


@pytest.mark.parametrize(
    ("lines", "classes"),
    [(("a,6.9,1", "b,7,2", "c,12.0,3"), ("<7", "7-12", ">=12")), (("a,7,1",), ("7-12",))],
)
def test_a_number_is_cut_into_classes_lowest_first(
    write: Write, lines: tuple[str, ...], classes: tuple[str, ...]
) -> None:
    listing = read(write(*lines), replace(PLAIN, cuts=(7.0, 12.0)))
    assert listing.classes == classes
    assert [each.label for each in listing.found] == list(classes)


def test_of_equal_one_hot_columns_the_first_counts_and_zeros_are_no_label(write: Write) -> None:
    folder = write("a,0,1,1", "b,0,0,0", "c,.2,.1,.7", header="image,G3,G4,G4C")
    declared = Table("t.csv", one_hot=("G3", "G4", "G4C"))
    listing = read(folder, declared)
    assert [each.label for each in listing.found] == ["G4", "G4C"]
    assert listing.classes == ("G4", "G4C")
    assert numbers(listing.left_out)["without a label in the table"] == 1


@pytest.mark.parametrize("delimiter", ["\t", ";"])
def test_tables_with_tabs_and_semicolons_are_read(tmp_path: Path, delimiter: str) -> None:
    write_image(tmp_path / "a.png")
    lines = [line.replace(",", delimiter) for line in ("\ufeff" + HEADER, "a,x,1")]
    write_csv(tmp_path / "t.tsv", *lines)
    assert read(tmp_path, replace(PLAIN, table="t.tsv")).found[0].label == "x"


@pytest.mark.parametrize(
    ("name", "contents"),
    [("t.csv", b""), ("t.csv", b"\xff\xfe\x00"), ("t.csv", b'image\n"open'), ("t.xlsx", b"PK")],
)
def test_a_table_that_cannot_be_read_is_named(tmp_path: Path, name: str, contents: bytes) -> None:
    write_image(tmp_path / "a.png")
    (tmp_path / name).write_bytes(contents)
    with pytest.raises(DataError, match=rf"{name}: cannot be read .* as CSV in UTF-8 or XLSX$"):
        read(tmp_path, replace(PLAIN, table=name))


@pytest.mark.parametrize("damage", [b"<", b"\xff"])
def test_an_xlsx_that_is_damaged_inside_is_named(tmp_path: Path, damage: bytes) -> None:
    write_image(tmp_path / "a.png")
    write_xlsx(tmp_path / "t.xlsx", ("image", "dx", "patient"), ("a", "x", "1"))
    with ZipFile(tmp_path / "t.xlsx") as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    with ZipFile(tmp_path / "t.xlsx", "w") as damaged:
        for name, part in parts.items():
            damaged.writestr(name, damage + part if "sheet1" in name else part)
    with pytest.raises(DataError, match=r"t\.xlsx: cannot be read .* as CSV in UTF-8 or XLSX$"):
        read(tmp_path, replace(PLAIN, table="t.xlsx"))


def test_an_xlsx_whose_zip_is_damaged_is_named(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png")
    write_xlsx(tmp_path / "t.xlsx", ("image", "dx", "patient"), ("a", "x", "1"))
    contents = bytearray((tmp_path / "t.xlsx").read_bytes())
    for name in (b"xl/workbook.xml", b"xl/worksheets/sheet1.xml"):
        at = contents.index(name) + len(name)  # where its compressed bytes begin
        contents[at : at + 8] = b"\xff" * 8
    (tmp_path / "t.xlsx").write_bytes(contents)
    with pytest.raises(DataError, match=r"t\.xlsx: cannot be read .* as CSV in UTF-8 or XLSX$"):
        read(tmp_path, replace(PLAIN, table="t.xlsx"))


@pytest.mark.parametrize("header", ["image,dx,patient,dx ", " image,dx,patient,image"])
def test_columns_that_differ_by_spaces_alone_are_refused(write: Write, header: str) -> None:
    with pytest.raises(
        DataError, match=r"several columns are called '(dx|image)': number . and 4; rename"
    ):
        read(write("a,x,1,2", header=header, images="a"), PLAIN)


def test_a_damaged_table_is_refused_in_one_line(write: Write) -> None:
    with pytest.raises(DataError, match=r"cannot be read as a table") as refused:
        read(write("a,x,1", "b,y,2,3,4", images="ab"), PLAIN)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("row", ["a,x,1,", "a,x,1,2"])
def test_a_row_of_more_cells_than_the_header_moves_no_column(write: Write, row: str) -> None:
    with pytest.raises(DataError, match=r"t\.csv: cannot be read as a table"):
        read(write(row, images="a"), PLAIN)


def test_a_table_that_is_not_there_is_named(write: Write) -> None:
    with pytest.raises(DataError, match=r"no.csv: no such table; correct the study's `table`"):
        read(write("a,x,1"), replace(PLAIN, table="no.csv"))


JOINED = Table("t.csv", path="image", label="dx", join=("more.csv",))


def test_a_joined_table_adds_columns_and_no_rows(write: Write) -> None:
    folder = write("a,1", "b,1", "c,2", header="image,case")
    write_csv(folder / "more.csv", "case,dx", "2,y", "1,x")
    listing = read(folder, JOINED)
    assert [each.label for each in listing.found] == ["x", "x", "y"]
    assert not listing.problems


def test_a_join_that_would_multiply_rows_is_an_error(write: Write) -> None:
    folder = write("a,1", header="image,case")
    write_csv(folder / "more.csv", "case,dx", "1,x", "1,y")
    with pytest.raises(DataError, match=r"more.csv: several rows for case '1', .*; keep one$"):
        read(folder, JOINED)


def test_rows_that_a_join_leaves_alone_are_named(write: Write) -> None:
    folder = write("a,1", "b,2", header="image,case", images="ab")
    write_csv(folder / "more.csv", "case,dx", "1,x", "3,y")
    listing = read(folder, JOINED)
    assert [(each.rule, each.level) for each in listing.problems] == [
        ("C04", "error"),
        ("C04", "warn"),
    ]
    assert "1 rows of t.csv have none beside them in more.csv" in listing.problems[0].message
    assert numbers(listing.left_out)["without a label in the table"] == 1


def test_tables_without_a_common_column_are_an_error(write: Write) -> None:
    folder = write("a,1", header="image,case")
    write_csv(folder / "more.csv", "id,dx", "1,x")
    with pytest.raises(DataError, match=r"more.csv: no column in common .*id alike in both$"):
        read(folder, JOINED)


@pytest.mark.parametrize("key", ["p1", "P01", "P 1"])
def test_a_key_that_a_joined_table_spells_otherwise_is_named(write: Write, key: str) -> None:
    folder = write("a,P1", "b,P2", header="image,case", images="ab")
    write_csv(folder / "more.csv", "case,dx", f"{key},x", "P2,y")
    message = read(folder, JOINED).problems[0].message
    assert f"for example case 'P1' (there it is case '{key}'); add them" in message


def test_classes_that_are_numbers_come_by_their_value(write: Write) -> None:
    rows = [
        f"{name},{label},1" for name, label in zip("abcd", ("10.0", "2.0", "-1", "x"), strict=True)
    ]
    assert read(write(*rows, images="abcd"), PLAIN).classes == ("x", "-1", "2.0", "10.0")
