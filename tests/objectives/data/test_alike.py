"""Names that a person reads as one are found, and others are not."""

import pytest

from objectives.data.alike import alike, as_read, spelled


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("benign", "Benign "),
        ("benign", "benign\u200b"),
        ("benign", "be\u00adnign"),
        ("benign", "\ufeffbenign"),
        ("Läsion", "La\u0308sion"),
        ("Läsion", "LÃ¤sion"),
        ("Müller", "MÃ¼ller"),
        ("low-grade", "low–grade"),
        ("low-grade", "low grade"),
        ("low-grade", "low_grade"),
        ("low grade", "low\u00a0 grade"),
        ("P07", "p07"),
        ("P07", "P 07"),
        ("P07", "P-7"),
        ("P07", "\u042007"),  # the Cyrillic er
        ("7", "007"),
        ("0", "0.0"),
        ("1", "1,0"),
        ("1", "01.00"),
        ("CO2", "CO₂"),
        ("Crohn's", "Crohn’s"),
        ("ＡＢ", "ab"),
        ("a-1", "a−1"),
        ("P07_L03", "p7-l3"),
        ("A1", "\x00A1"),
        ("ΜΕΛ", "MEΛ"),
        ("Ν1", "N1"),  # the Greek capital nu
        ("benign", "benign\u3164"),
        ("benign", "benign\u2800"),
    ],
)
def test_two_spellings_of_one_name_are_equal_to_the_eye(one: str, other: str) -> None:
    assert as_read(one) == as_read(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1-2", "12"),
        ("1_02", "10_2"),
        ("-1", "1"),
        ("score -1", "score 1"),
        ("0.5", "5"),
        ("0.05", "0.5"),
        ("1.5", "15"),
        ("10", "1"),
        ("100", "1.00.0"),
        ("benign", "benigna"),
        ("grade 1", "grade 11"),
        ("grün", "grun"),
        ("1,000", "1"),
        ("A-", "A"),
        ("HER2-", "HER2+"),
        ("a05b1c", "a5b01c"),
        ("1.05", "1.5"),
    ],
)
def test_two_names_that_differ_to_the_eye_stay_two(one: str, other: str) -> None:
    assert as_read(one) != as_read(other)


def test_all_spellings_of_a_name_are_found_together() -> None:
    assert alike(["b", "P07", "a", "p7", "P 07", "b"]) == [("P07", "p7", "P 07")]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Läsion 1", "'Läsion 1'"),
        ("肺癌", "'肺癌'"),
        ("La\u0308sion", r"'La\u0308sion'"),
        ("benign\u200b", r"'benign\u200b'"),
        ("low\u00a0grade", r"'low\xa0grade'"),
        ("low–grade", r"'low\u2013grade'"),
        ("\u042007", r"'\u042007'"),
        ("CO₂", r"'CO\u2082'"),
        ("two\nlines", r"'two\nlines'"),
        ("Crohn's", '"Crohn\'s"'),
    ],
)
def test_only_characters_that_may_be_taken_for_others_are_shown_as_codes(
    name: str, shown: str
) -> None:
    assert spelled(name) == shown
