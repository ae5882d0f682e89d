"""Cells that mean one thing and say another: missing values, numbers, one-hot rows, spellings."""

from dataclasses import replace
from typing import Any

import pytest

from spaces.data import Table
from tests.objectives.data.layouts.tables.conftest import Write
from tests.objectives.data.layouts.tables.tables import HEADER, PLAIN, only, read
from tests.objectives.data.left_out import numbers

NO_LABEL = "without a label in the table"
AGED = replace(PLAIN, metadata={"age": "number"})


@pytest.mark.parametrize("word", ["NA", "n/a", "null", "NaN"])
def test_a_word_for_missing_among_labels_or_groups_is_an_error(write: Write, word: str) -> None:
    listing = read(write("a,x,1", f"b,{word},2", f"c,y,{word}"), PLAIN)
    assert numbers(listing.left_out) == {NO_LABEL: 1}
    assert [each.rule for each in listing.problems] == ["C13", "C13"]
    assert [each.level for each in listing.problems] == ["error", "error"]
    assert f"'{word}' (t.csv line 3), are missing values" in listing.problems[0].message
    assert f"missing=('{word}',)" in listing.problems[0].message


def test_declared_words_are_missing_and_others_are_values(write: Write) -> None:
    folder = write("a,NA,1", "b,none,2", "c,x,none")
    listing = read(folder, replace(PLAIN, missing=("None",)))
    assert (listing.classes, numbers(listing.left_out)) == (("NA", "x"), {NO_LABEL: 1})
    assert [each.group for each in listing.found] == ["1", "c.png"]
    assert not listing.problems


def test_without_words_for_missing_every_word_is_a_class(write: Write) -> None:
    listing = read(write("a,NA,1", "b,-,NaN", "c,,3"), replace(PLAIN, missing=()))
    assert (listing.classes, numbers(listing.left_out)) == (("-", "NA"), {NO_LABEL: 1})
    assert not listing.problems


@pytest.mark.parametrize("declared", [{"names": {"NA": "normal"}}, {"skip": ("NA",)}])
def test_a_word_that_the_study_names_or_skips_is_a_class(
    write: Write, declared: dict[str, Any]
) -> None:
    listing = read(write("a,x,1", "b,NA,2", images="ab"), replace(PLAIN, **declared))
    assert NO_LABEL not in numbers(listing.left_out)
    assert not listing.problems


@pytest.mark.parametrize("word", ["-", "?", ".", "missing"])
def test_a_label_that_looks_like_a_missing_value_is_told(write: Write, word: str) -> None:
    listing = read(write("a,x,1", f"b,{word},2", images="ab"), PLAIN)
    assert f"missing=('{word}',) in the study's Table(...), or missing=()" in only(listing).message


@pytest.mark.parametrize("word", ["None", "unknown", "ANONYMIZED", "?"])
def test_a_word_for_an_unknown_patient_is_no_group(write: Write, word: str) -> None:
    folder = write("a,x,1", f"b,y,{word}", f"c,x,{word}")
    problem = only(read(folder, PLAIN))
    assert (problem.rule, problem.level) == ("C13", "error")
    assert f"missing=('{word}',) in the study" in problem.message
    listing = read(folder, replace(PLAIN, missing=(word,)))
    assert [each.group for each in listing.found] == ["1", "b.png", "c.png"]
    assert not listing.problems


@pytest.mark.parametrize(
    ("number", "told"), [("0", True), ("-1", True), ("999", True), ("5", False)]
)
def test_a_number_that_is_the_group_of_most_rows_is_told(
    write: Write, number: str, told: bool
) -> None:
    rows = [f"{name},{'xy'[at % 2]},{number if at else 1}" for at, name in enumerate("abcdef")]
    problems = read(write(*rows, images="abcdef"), PLAIN).problems
    assert [each.level for each in problems] == ["warn"] * told
    assert all("one group with far more rows" in each.message for each in problems)


def test_the_fix_declares_every_missing_word_that_the_table_uses(write: Write) -> None:
    folder = write("a,x,1,NA", "b,y,2,unknown", "c,-,3,f", header=f"{HEADER},sex")
    declared = replace(PLAIN, metadata={"sex": "category"})
    assert "missing=('NA', 'unknown', '-') in the study" in only(read(folder, declared)).message


def test_the_fix_declares_no_word_that_is_a_class(write: Write) -> None:
    folder = write("a,unknown,1,unknown", "b,-,2,f", header=f"{HEADER},sex", images="ab")
    declared = replace(PLAIN, metadata={"sex": "category"})
    assert "missing=('-',) in the study" in only(read(folder, declared)).message


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (("0", "1", "-1"), "missing=('-1',)"),
        (("0.0", "1.0", "-1.0"), "missing=('-1.0',)"),
        (("0", "1", "9"), "missing=('9',)"),
        (("1", "2", "999"), "missing=('999',)"),
        (("a", "b", "None"), "missing=('None',)"),
        (("-1", "1", "1"), ""),
        (("none", "mild", "severe"), ""),
        (("7", "8", "9"), ""),
        (("0", "4", "9"), ""),
    ],
)
def test_a_class_that_may_be_a_missing_value_is_told(
    write: Write, labels: tuple[str, ...], said: str
) -> None:
    folder = write(*(f"{name},{label},{name}" for name, label in zip("abc", labels, strict=True)))
    problems = read(folder, PLAIN).problems
    assert [each.level for each in problems] == ["warn"] * bool(said)
    assert all(said in each.message for each in problems)


@pytest.mark.parametrize(("label", "told"), [("x|z", 1), ("y, x", 1), ("x/z", 0), ("x y", 0)])
def test_a_class_of_several_other_classes_is_told(write: Write, label: str, told: int) -> None:
    problems = read(write("a,x,1", "b,y,2", f'c,"{label}",3'), PLAIN).problems
    assert [each.level for each in problems] == ["warn"] * told
    assert all("several classes in one cell" in each.message for each in problems)


def test_a_text_that_lost_characters_is_told(write: Write) -> None:
    problem = only(read(write("a,bösartig,1", "b,b\ufffdsartig,2", images="ab"), PLAIN))
    assert (problem.rule, problem.level) == ("C13", "error")
    assert "of which a program lost characters" in problem.message


@pytest.mark.parametrize(
    "label",
    ["2-Jan", "Jan-02", "2021-02-01 00:00:00", "1/2/21", "03.04.2021", "2. Okt", "2021/2/1"],
)
def test_labels_that_a_spreadsheet_made_dates_are_told(write: Write, label: str) -> None:
    problem = only(read(write("a,x,1", f"b,{label},2", images="ab"), PLAIN))
    assert (problem.rule, problem.level) == ("C13", "error")
    assert "are dates, as a spreadsheet makes" in problem.message


@pytest.mark.parametrize("label", ["1-2", "MAR-05", "May", "12:30", "2021", "3.5", "1.2.34"])
def test_labels_that_are_no_dates_are_left_alone(write: Write, label: str) -> None:
    assert not read(write("a,x,1", f"b,{label},2", images="ab"), PLAIN).problems


def test_a_date_as_part_of_a_path_is_no_problem(write: Write) -> None:
    header, rows = f"{HEADER},day", ("a,x,1,2021-02-01", "b,y,2,2021-02-02")
    folder = write(*rows, header=header, images="ab")
    assert not read(folder, replace(PLAIN, group="{patient}/{day}")).problems


@pytest.mark.parametrize("cell", ["1e300", "-1e39", "inf", "-Infinity"])
def test_a_number_that_a_network_cannot_hold_is_missing_and_told(write: Write, cell: str) -> None:
    listing = read(write("a,x,1,50", f"b,y,2,{cell}", header=f"{HEADER},age", images="ab"), AGED)
    assert [each.metadata for each in listing.found] == [(50.0,), (None,)]
    assert f"'{cell}' (t.csv line 3), are numbers that no network" in only(listing).message


def aged(write: Write, *ages: str, **declared: Any) -> list[str]:
    """Return the messages about a column of ages."""
    rows = [f"a,{'xy'[at % 2]},{at},{age}" for at, age in enumerate(ages)]
    rows = [row.replace("a,", f"{'abcdefgh'[at]},", 1) for at, row in enumerate(rows)]
    folder = write(*rows, header=f"{HEADER},age", images="abcdefgh"[: len(ages)])
    return [each.message for each in read(folder, replace(AGED, **declared)).problems]


def test_a_number_far_from_all_others_is_told(write: Write) -> None:
    (message,) = aged(write, "50", "61", "72", "80", "1e12")
    assert "'1e12' (t.csv line 6), are numbers so far from the others" in message


@pytest.mark.parametrize("code", ["-9999", "-1", "999", "-88", "-99.9", "2147483647"])
def test_a_number_that_looks_like_a_code_for_missing_is_told_until_it_is_declared(
    write: Write, code: str
) -> None:
    ages = ("50", code, "72", code)
    (message,) = aged(write, *ages)
    assert f"missing=('{code}',) in the study" in message
    assert not aged(write, *ages, missing=())
    assert not aged(write, *ages, missing=(f"{code}0" if "." in code else f"{code}.0",))


@pytest.mark.parametrize(("code", "levels"), [("999", ["warn"]), ("-1", [])])
def test_a_single_code_is_told_where_it_is_large_and_stops_nothing(
    write: Write, code: str, levels: list[str]
) -> None:
    folder = write("a,x,1,50", f"b,y,2,{code}", header=f"{HEADER},age", images="ab")
    assert [each.level for each in read(folder, AGED).problems] == levels


def test_several_codes_are_declared_together(write: Write) -> None:
    messages = aged(write, "5", "999", "999", "888", "888", "n/a", "7")
    assert len(messages) == 2
    assert all("missing=('n/a', '888', '999')" in each for each in messages)


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (("950", "1.200", "12.300"), True),
        (("950", "1.200", "0.5"), False),
        (("950", "0.200"), False),
        (("1", "2", "1.125"), False),
        (("1.200", "2.300"), False),
    ],
)
def test_a_point_that_may_separate_thousands_is_told(
    write: Write, cells: tuple[str, ...], told: bool
) -> None:
    messages = aged(write, *cells)
    assert ["point may separate thousands" in each for each in messages] == [True] * told


def test_a_code_for_missing_among_numbers_that_are_cut_is_no_class(write: Write) -> None:
    folder = write("a,11,1", "b,13,2", "c,-9999,3", "d,-9999,4", images="abcd")
    cut = replace(PLAIN, cuts=(12.0,))
    assert only(read(folder, cut)).level == "error"
    listing = read(folder, replace(cut, missing=("-9999.0",)))
    assert [each.label for each in listing.found] == ["<12", ">=12"]


def test_a_declared_code_is_a_missing_number(write: Write) -> None:
    folder = write("a,x,1,50", "b,y,2,-9999.0", header=f"{HEADER},age", images="ab")
    listing = read(folder, replace(AGED, missing=("-9999",)))
    assert [each.metadata for each in listing.found] == [(50.0,), (None,)]


@pytest.mark.parametrize(
    "ages", [("-1", "0", "1", "-2", "-1"), ("99", "98", "60", "99"), ("999", "900"), ("-1", "-1")]
)
def test_numbers_among_others_of_their_kind_are_no_codes(
    write: Write, ages: tuple[str, ...]
) -> None:
    assert not aged(write, *ages)


def test_a_comma_that_may_separate_thousands_is_not_read(write: Write) -> None:
    folder = write('a,x,1,"1,234"', 'b,y,2,"12,500"', header=f"{HEADER},age", images="ab")
    listing = read(folder, AGED)
    assert [each.metadata for each in listing.found] == [(None,), (None,)]
    assert "comma may separate thousands or decimals" in only(listing).message


def test_a_decimal_comma_elsewhere_in_the_column_settles_the_doubt(write: Write) -> None:
    folder = write('a,x,1,"1,234"', 'b,y,2,"9,7"', header=f"{HEADER},age", images="ab")
    listing = read(folder, AGED)
    assert [each.metadata for each in listing.found] == [(1.234,), (9.7,)]
    assert "numbers with a decimal comma" in only(listing).message


@pytest.mark.parametrize(
    ("cell", "found"),
    [("45%", "percentages"), ("34Y", "texts"), ("1.234,5", "texts"), ("#REF!", "errors of a spr")],
)
def test_other_texts_among_numbers_are_called_by_their_name(
    write: Write, cell: str, found: str
) -> None:
    (message,) = aged(write, "50", f'"{cell}"')
    assert f"'{cell}' (t.csv line 3), are {found}" in message


def test_a_column_without_any_value_is_told(write: Write) -> None:
    (message,) = aged(write, "", "unknown")
    assert message.startswith("column 'age': no cell holds a value")


@pytest.mark.parametrize("cell", ["Male", "male\u200b", "M", "MALE"])
def test_categories_that_read_alike_are_told(write: Write, cell: str) -> None:
    folder = write("a,x,1,male", f"b,y,2,{cell}", header=f"{HEADER},sex", images="ab")
    problem = only(read(folder, replace(PLAIN, metadata={"sex": "category"})))
    assert (problem.rule, problem.level) == ("C13", "warn")
    assert "'male'" in problem.message


def test_what_reads_alike_is_merged_where_that_is_declared(write: Write) -> None:
    header = f"{HEADER},sex,site"
    folder = write("a,X,P07,male,A", "b,x,p 7,Male,a", header=header, images="ab")
    merged = replace(PLAIN, metadata={"sex": "category"}, site="site", merge_alike=True)
    listing = read(folder, merged)
    values = [(each.label, each.group, each.site, each.metadata) for each in listing.found]
    assert values == [("X", "P07", "A", ("Male",))] * 2
    assert listing.classes == ("X",)
    assert not listing.problems
    apart = read(folder, replace(merged, merge_alike=False))
    assert [each.group for each in apart.found] == ["P07", "p 7"]
    assert [each.rule for each in apart.problems] == ["C13", "C13", "C17", "C09"]


@pytest.mark.parametrize("group", ["p07", "P7", "P-07", "P07\u200b"])
def test_a_patient_spelt_in_two_ways_is_told(write: Write, group: str) -> None:
    problem = only(read(write("a,x,P07", f"b,y,{group}", "c,y,P08"), PLAIN))
    assert (problem.rule, problem.paths) == ("C17", ("a.png", "b.png"))


@pytest.mark.parametrize(
    "labels", [("0", "0.0"), ("low-grade", "low\u2013grade"), ("x", "x\u200b")]
)
def test_two_spellings_of_one_class_are_told(write: Write, labels: tuple[str, str]) -> None:
    rows = (f"a,{labels[0]},1", f"b,{labels[1]},2", "c,other,3")
    assert only(read(write(*rows), PLAIN)).rule == "C09"


@pytest.mark.parametrize("declared", [{"skip": ("NV",)}, {"names": {"nv ": "naevus"}}])
def test_a_label_that_the_study_spells_otherwise_is_told(
    write: Write, declared: dict[str, Any]
) -> None:
    problem = only(read(write("a,nv,1", "b,mel,2", images="ab"), replace(PLAIN, **declared)))
    assert (problem.rule, problem.level) == ("C09", "error")
    assert problem.message.endswith(
        "the data 'nv', which is another label; spell it as the data do"
    )


def test_spaces_around_all_labels_are_no_part_of_them(write: Write) -> None:
    listing = read(write("a, x,1", "b, y,2", images="ab"), replace(PLAIN, skip=("y",)))
    assert (listing.classes, numbers(listing.left_out)) == (
        ("x",),
        {"with the skipped label 'y'": 1},
    )


def test_two_answers_for_yes_are_told_where_classes_are_answers(write: Write) -> None:
    assert (
        "'True' and '1' mean the same"
        in only(read(write("a,True,1", "b,1,2", "c,no,3"), PLAIN)).message
    )
    assert not read(write("a,T,1", "b,1,2", "c,0,3"), PLAIN).problems


@pytest.mark.parametrize("label", ['"x\ny"', "x\x1by", "x" * 3000])
def test_a_class_whose_name_no_line_can_hold_is_told(write: Write, label: str) -> None:
    problem = only(read(write(f"a,{label},1", "b,y,2", images="ab"), PLAIN))
    assert (problem.rule, "\n" in problem.message, len(problem.message) < 300) == (
        "C09",
        False,
        True,
    )


ONE_HOT = Table("t.csv", one_hot=("G3", "G4"))


@pytest.mark.parametrize(
    ("yes", "no"), [("True", "False"), ("x", ""), ("positive", "absent"), ("1", "0")]
)
def test_words_and_crosses_are_ones(write: Write, yes: str, no: str) -> None:
    folder = write(f"a,{yes},{no}", f"b,{no},{yes}", header="image,G3,G4", images="ab")
    listing = read(folder, ONE_HOT)
    assert [each.label for each in listing.found] == ["G3", "G4"]
    assert not listing.problems


@pytest.mark.parametrize("row", ["1,1", "x,x", "0.5,0.5"])
def test_a_row_of_several_classes_is_told(write: Write, row: str) -> None:
    listing = read(write("a,1,0", f"b,{row}", header="image,G3,G4", images="ab"), ONE_HOT)
    problem = only(listing)
    assert (problem.rule, problem.level) == ("C13", "error")
    assert "1 of 2 rows, for example t.csv line 3, have their largest" in problem.message


def test_a_row_of_no_class_is_counted_and_below_0_told(write: Write) -> None:
    folder = write("a,1,0", "b,-1,0", "c,,", header="image,G3,G4")
    listing = read(folder, ONE_HOT)
    assert numbers(listing.left_out) == {NO_LABEL: 2}
    assert "'-1' (t.csv line 3), are below 0" in only(listing).message
    assert "say missing=('-1',) in the study" in only(listing).message
    assert not read(folder, replace(ONE_HOT, missing=("-1.0",))).problems
