"""Nothing in a data folder is passed over in silence."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from objectives.contract import DataError, DataSource
from objectives.data.layouts.class_folders import ClassFolders
from objectives.data.layouts.folder import image_folder, read_folder, subfolders
from objectives.data.manifest.manifest import read_manifest
from objectives.data.scan.scan import scan
from tests.objectives.conftest import write_image
from tests.objectives.data.left_out import numbers

MakeTree = Callable[..., DataSource]


@pytest.mark.parametrize(
    ("form", "ending"),
    [
        *(("JPEG", ".jfif"), ("JPEG", ".JPE"), ("PPM", ".pgm"), ("PNG", ""), ("TIFF", ".dat")),
        *(("GIF", ".gif"), ("PNG", ".1"), ("BMP", ".img"), ("PNG", ".png (1)"), ("WEBP", ".x y")),
    ],
)
def test_an_image_is_read_whatever_its_ending(tmp_path: Path, form: str, ending: str) -> None:
    path = write_image(tmp_path / "a" / "1.png")
    Image.open(path).convert("L").save(tmp_path / "a" / f"2{ending}", form)
    contents = read_folder(tmp_path)
    assert [file.path for file in contents.images] == ["a/1.png", f"a/2{ending}"]
    assert not contents.left_out


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("notes.txt", "other files (.txt)"),
        ("README", "other files (no ending)"),
        ("all.tar.gz", "other files (.tar.gz)"),
        ("scan.HEIC", "of a format that is not read (.heic)"),
        ("scan.nii.gz", "of a format that is not read (.nii.gz)"),
        ("scan.png.gz", "of a format that is not read (.png.gz)"),
        ("film.mp4", "of a format that is not read (.mp4)"),
        ("1.txt", "other files (.txt)"),
        ("1.heic", "of a format that is not read (.heic), beside images of the same names"),
        (".hidden.png", "hidden images"),
        (".hidden", "hidden"),
        ("features.npy", "of a format that is not read (.npy)"),
        ("._1.png", "made by a system, not by you"),
        ("Thumbs.db", "made by a system, not by you"),
        ("~$notes.docx", "made by a system, not by you"),
        ("1.png:Zone.Identifier", "made by a system, not by you"),
        ("1.png.bak", "backup copies"),
        ("1.png~", "backup copies"),
        ("2.png.crdownload", "unfinished downloads"),
        (".2.png.icloud", "not downloaded from the cloud"),
        ("2.png.nextcloud", "not downloaded from the cloud"),
        ("2.png.!qB", "unfinished downloads"),
    ],
)
def test_a_file_that_is_no_image_is_counted_by_its_reason(
    tmp_path: Path, name: str, reason: str
) -> None:
    path = write_image(tmp_path / "a" / "1.png")
    is_image = ".png" in name and ".gz" not in name
    (path.parent / name).write_bytes(path.read_bytes() if is_image else b"text")
    contents = read_folder(tmp_path)
    assert [file.path for file in contents.images] == ["a/1.png"]
    assert [(each.reason, each.paths) for each in contents.left_out] == [(reason, (f"a/{name}",))]


@pytest.mark.parametrize(
    "name",
    [
        *("@eaDir", "#recycle", "@Recently-Snapshot", ".Trash-1000", "$RECYCLE.BIN", "__MACOSX"),
        *("System Volume Information", "lost+found", ".git", "node_modules", ".@__thumb"),
    ],
)
def test_a_folder_that_a_system_makes_is_passed_over_and_counted(
    class_folders: MakeTree, name: str
) -> None:
    source = class_folders("a", "b", name, f"a/{name}/1.png")
    listing = ClassFolders(source).find_images()
    assert (listing.classes, len(listing.found)) == (("a", "b"), 16)
    assert numbers(listing.left_out) == {"made by a system, not by you": 2}
    assert not listing.problems


def test_a_name_that_is_no_text_can_be_shown(tmp_path: Path) -> None:
    write_image(tmp_path / "1.png")
    Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9.txt")).touch()
    assert read_folder(tmp_path).left_out[0].paths == ("caf\\xe9.txt",)


@pytest.mark.parametrize("mode", [0o000, 0o444])
def test_a_folder_that_may_not_be_entered_is_an_error(
    class_folders: MakeTree, as_ordinary_user: Callable[[], Path], mode: int
) -> None:
    source = class_folders("a", "b", "a/locked")
    assert source.folder
    (source.folder / "a" / "locked").chmod(mode)
    contents = read_folder(as_ordinary_user())
    assert len(contents.images) == 16
    (problem,) = contents.problems
    assert (problem.rule, problem.level) == ("C05", "error")
    assert problem.paths[0].startswith("a/locked")
    assert "(Permission denied); ask their owner" in problem.message


def test_a_class_that_may_not_be_entered_is_not_called_empty(
    class_folders: MakeTree, as_ordinary_user: Callable[[], Path]
) -> None:
    source = class_folders("a", "b", "c")
    assert source.folder
    (source.folder / "c").chmod(0)
    listing = ClassFolders(DataSource(layout=source.layout, folder=as_ordinary_user()))
    assert [each.rule for each in listing.find_images().problems] == ["C05"]


def test_a_class_that_may_not_be_entered_is_named_where_it_leaves_one_class(
    class_folders: MakeTree, as_ordinary_user: Callable[[], Path]
) -> None:
    source = class_folders("a", "b")
    assert source.folder
    (source.folder / "b").chmod(0)
    with pytest.raises(DataError, match=r"1 file or folder may not be read, b for .* \(C05\)$"):
        read_manifest(DataSource(layout=source.layout, folder=as_ordinary_user()))


@pytest.mark.parametrize("closed", ["tree", "tree/a"])
def test_a_data_folder_that_may_not_be_read_is_refused(
    class_folders: MakeTree, tmp_path: Path, as_ordinary_user: Callable[[], Path], closed: str
) -> None:
    source = class_folders("a/b")
    (tmp_path / closed).chmod(0)
    folder = as_ordinary_user() / "a"
    with pytest.raises(DataError, match=r"tree/a: may not be read \(Permission denied\)"):
        read_folder(image_folder(DataSource(layout=source.layout, folder=folder)))
    with pytest.raises(DataError, match=r"tree/a: may not be read \(Permission denied\)"):
        subfolders(folder)


@pytest.mark.parametrize("name", ["9.png", "9.dat"])
def test_a_file_that_may_not_be_read_is_an_error(
    class_folders: MakeTree, as_ordinary_user: Callable[[], Path], name: str
) -> None:
    source = class_folders("a", "b")
    assert source.folder
    write_image(source.folder / "a" / "9.png").rename(source.folder / "a" / name).chmod(0)
    layout = ClassFolders(DataSource(layout=source.layout, folder=as_ordinary_user()))
    listing = layout.find_images()
    unread = [path for each in listing.problems for path in each.paths]
    facts = scan(layout, [each.file for each in listing.found])
    assert unread + [path for path, each in facts.items() if each.error] == [f"a/{name}"]


def test_a_link_to_a_place_that_may_not_be_entered_is_an_error(
    class_folders: MakeTree, tmp_path: Path, as_ordinary_user: Callable[[], Path]
) -> None:
    source = class_folders("a", "b")
    assert source.folder
    (tmp_path / "closed").mkdir()
    shutil.copytree(source.folder / "a", tmp_path / "closed" / "more")
    (source.folder / "a" / "more").symlink_to(tmp_path / "closed" / "more")
    (tmp_path / "closed").chmod(0)
    contents = read_folder(as_ordinary_user())
    assert [each.paths for each in contents.problems] == [("a/more",)]


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    write_image(tmp_path / "1.png")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(DataError, match=r"loop: leads to loop, which is not here; bring it back"):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a/1.heic", r"but 1 of a format that is not read \(.heic\); convert them to PNG$"),
        ("a.txt", r"but 1 other file \(.txt\); check the path given to --data$"),
        ("all.zip", r"but 1 other file \(.zip\); unpack the archive$"),
    ],
)
def test_a_folder_without_images_says_what_is_in_it(tmp_path: Path, name: str, says: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x")
    with pytest.raises(DataError, match=says):
        read_folder(tmp_path)
