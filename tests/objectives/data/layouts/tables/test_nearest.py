"""A name that no file has is reported with the file that was most likely meant."""

import pytest

from objectives.data.layouts.tables.nearest import Nearest


@pytest.mark.parametrize(
    ("name", "path", "difference"),
    [
        ("La\u0308sion 1", "images/Läsion 1.png", "in the Unicode form of a letter"),
        ("im_1.png", "images/im_1.PNG", "in upper and lower case"),
        ("im_1.jpg", "images/im_1.png", "in the ending"),
        ("im%201.png", "images/im 1.png", "in characters that are written as %"),
        ("1", "images/0001.png", "in leading zeros"),
        ("im 1", "images/im1.png", "in spaces, hyphens"),
        ("train/im_1.png", "test/im_1.png", "in the folder"),
        (r"D:\scans\IM_1.png", "images/im_1.png", "in upper and lower case"),
        ("im-1", "images/im_1.png", "in spaces, hyphens or underscores"),
        ("im-1.JPG", "images/im_1.png", "in several ways"),
    ],
)
def test_the_nearest_file_is_named_with_the_difference(
    name: str, path: str, difference: str
) -> None:
    hint = Nearest([path, "images/other.png"]).hint(name)
    assert hint.startswith("; the nearest file, ")
    assert difference in hint


@pytest.mark.parametrize("paths", [["a/im_2.png"], ["a/im_1.PNG", "b/im_1.PNG"], []])
def test_no_file_is_named_where_none_or_several_are_near(paths: list[str]) -> None:
    assert Nearest(paths).hint("im_1.png") == ""
