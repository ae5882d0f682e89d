"""Counts read as people write them."""

import pytest

from objectives.data.layouts.lost_images import LOST
from objectives.data.layouts.tables.files import ABOVE_HEADER, NAMED_TWICE, OTHER_SHEET
from objectives.data.wording import counted_phrase


@pytest.mark.parametrize(
    ("plural", "one"),
    [
        (ABOVE_HEADER, "1 line above the header"),
        (OTHER_SHEET, "1 sheet that is not read"),
        (NAMED_TWICE, "1 column that is named like another one"),
        ("other files (no ending)", "1 other file (no ending)"),
        (LOST["backup copies"], "1 backup copy of an image that is not here"),
        ("not in the table", "1 not in the table"),
    ],
)
def test_one_thing_is_told_in_the_singular(plural: str, one: str) -> None:
    assert counted_phrase(1, plural) == one
    assert counted_phrase(1200, plural) == f"1,200 {plural}"
