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


def test_of_several_files_the_one_in_a_folder_of_the_same_name_is_named() -> None:
    hint = Nearest(["x/P_1/000001.png", "x/P_2/000001.png"]).hint("P_2/000001.dcm")
    assert "'x/P_2/000001.png', differs in the ending" in hint


def test_a_folder_is_named_with_the_pattern_for_its_images() -> None:
    assert 'path="{column}*"' in Nearest(["MURA/p1/image1.png"]).hint("MURA/p1/")


@pytest.mark.parametrize("paths", [["a/im_2.png"], ["a/im_1.PNG", "b/im_1.PNG"], []])
def test_no_file_is_named_where_none_or_several_are_near(paths: list[str]) -> None:
    assert Nearest(paths).hint("im_1.png") == ""
