"""Files that are not looked at are told where an image may be lost in them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from objectives.contract import DataSource
from objectives.data.checks.check import check_data
from objectives.data.layouts.folder import read_folder
from objectives.data.manifest.manifest import read_manifest
from tests.objectives.conftest import write_image
from tests.objectives.data.left_out import numbers

MakeTree = Callable[..., DataSource]


def told(source: DataSource) -> list[tuple[str, str]]:
    """Return the level and the fix of each C18."""
    problems = check_data(source, read_manifest(source))
    return [
        (each.level, each.message.rpartition("; ")[2]) for each in problems if each.rule == "C18"
    ]


@pytest.mark.parametrize(
    ("contents", "level"),
    [(bytes(4096), "error"), (b"", "warn")],
)
def test_failed_copies_among_images_without_an_ending_are_told(
    class_folders: MakeTree, contents: bytes, level: str
) -> None:
    source = class_folders("a", "b", group=r"^(slide\d+)")
    assert source.folder
    for path in list((source.folder / "a").iterdir()):
        shutil.copy(path, path.with_name(f"{path.name} 2"))
        path.rename(path.with_name(path.name.partition(".")[0]))
    (source.folder / "a" / "slide09").write_bytes(contents)
    assert told(source) == [(level, "copy them again")]


def test_an_empty_file_of_another_ending_is_counted(tmp_path: Path) -> None:
    write_image(tmp_path / "1.png")
    (tmp_path / "SUCCESS").touch()
    (tmp_path / "codes.bin").write_bytes(bytes(600))
    contents = read_folder(tmp_path)
    assert {each.fix for each in contents.left_out} == {""}
    assert len(numbers(contents.left_out)) == 2


def test_a_backup_copy_is_told_where_it_is_the_only_copy(class_folders: MakeTree) -> None:
    source = class_folders("a", "b", group=r"^(slide\d+)")
    assert source.folder
    first, second, *_ = sorted((source.folder / "a").iterdir())
    shutil.copy(first, f"{first}.bak")
    assert told(source) == []
    second.rename(f"{second}_original")
    assert told(source) == [("warn", "give them their names back if they are the only copies")]


def test_an_archive_is_told_where_its_images_are_not_here(class_folders: MakeTree) -> None:
    source = class_folders("a", "b", "c", group=r"^(slide\d+)")
    assert source.folder
    shutil.make_archive(str(source.folder / "c"), "zip", source.folder, "c")
    (source.folder / "notes.zip").write_bytes(b"PK")
    assert told(source) == []
    for path in (source.folder / "c").iterdir():
        path.rename(path.with_stem(f"{path.stem} moved"))
    assert told(source) == [("warn", "unpack them")]
