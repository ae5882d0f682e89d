"""A label or group that a pattern leaves out is none, not a crash and not an empty name."""

import re
from pathlib import Path

import pytest

from objectives.contract import DataError, DataSource
from objectives.data.layouts.patterns import match_pattern
from objectives.data.layouts.readers import open_layout
from tests.objectives.conftest import write_image
from tests.objectives.data.left_out import numbers


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"_(\d)", "a_1", "1"),
        (r"_(\d)?", "a_", ""),
        (r"^(\w*?)_", "_1", ""),
        (r"(?:a|(b))", "a", ""),
        (r"_(\d)", "a", ""),
    ],
)
def test_a_group_that_matches_no_character_is_none(pattern: str, text: str, found: str) -> None:
    assert match_pattern(re.compile(pattern), text) == found


def file_names(folder: Path, *names: str, **layout: str) -> DataSource:
    for name in names:
        write_image(folder / name)
    return DataSource(layout={"kind": "file_names", **layout}, folder=folder)


def test_a_file_name_whose_optional_label_is_absent_is_counted(tmp_path: Path) -> None:
    source = file_names(tmp_path, "a_g1.png", "b_g.png", label=r"_g(\d)?\.png$")
    listing = open_layout(source).find_images()
    assert numbers(listing.left_out) == {"without a label in the name": 1}


def test_a_file_name_whose_group_is_absent_is_named(tmp_path: Path) -> None:
    source = file_names(tmp_path, "p1_1.png", "_2.png", label=r"_(\d)", group=r"^(p\d+)?_")
    with pytest.raises(DataError, match=r"1 of 2 files give no group by .* '_2.png'; correct"):
        open_layout(source).find_images()
