import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from objectives.contract import DataSource
from objectives.data.layouts.folder import read_folder
from objectives.data.layouts.readers import open_layout
from objectives.data.scan.scan import digests, scan
from tests.objectives.conftest import FOLDERS, write_image


class Count:
    """How many images were read."""

    images = 0

    def __call__(self) -> None:
        self.images += 1


@pytest.fixture
def source(tmp_path: Path) -> DataSource:
    """Twenty images in a folder."""
    for number in range(20):
        write_image(tmp_path / "data" / f"{number:02d}.png", seed=number)
    return DataSource(layout=FOLDERS, folder=tmp_path / "data")


def opened(source: DataSource, cache: Path | None, look: bool = True) -> int:
    """Scan, or only digest, and give how many images that took."""
    assert source.folder is not None
    count, files = Count(), read_folder(source.folder).images
    if look:
        scan(open_layout(source), files, cache, count)
    else:
        digests(open_layout(source), files, cache, count)
    return count.images


def kept(cache: Path) -> Path:
    """The one file of what was seen."""
    (file,) = cache.iterdir()
    return file


def test_what_was_seen_is_not_read_again(source: DataSource, tmp_path: Path) -> None:
    assert source.folder is not None
    files = read_folder(source.folder).images
    before = scan(open_layout(source), files, tmp_path / "cache")
    assert opened(source, tmp_path / "cache") == 0
    assert opened(source, tmp_path / "cache", look=False) == 0
    for file in files:
        (source.folder / file.path).unlink()
    assert scan(open_layout(source), files, tmp_path / "cache") == before


def test_a_file_that_was_replaced_by_one_of_its_size_and_time_is_read_again(
    source: DataSource, tmp_path: Path
) -> None:
    assert source.folder is not None
    opened(source, tmp_path / "cache")
    path = source.folder / "07.png"
    old = path.stat()
    path.write_bytes(bytes(old.st_size))
    os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns))
    assert opened(source, tmp_path / "cache") == 1


def test_a_touched_file_is_read_again_and_no_other(source: DataSource, tmp_path: Path) -> None:
    assert source.folder is not None
    opened(source, tmp_path / "cache")
    write_image(source.folder / "07.png", (30, 20), seed=99)
    assert opened(source, tmp_path / "cache") == 1
    files = read_folder(source.folder).images
    assert scan(open_layout(source), files, tmp_path / "cache")["07.png"].width == 30


def test_digests_alone_are_kept_too_but_tell_nothing_about_images(
    source: DataSource, tmp_path: Path
) -> None:
    assert opened(source, tmp_path / "cache", look=False) == 20
    assert opened(source, tmp_path / "cache", look=False) == 0
    assert opened(source, tmp_path / "cache", look=True) == 20


def test_a_pass_for_digests_may_look_at_once(source: DataSource, tmp_path: Path) -> None:
    assert source.folder is not None
    digests(open_layout(source), read_folder(source.folder).images, tmp_path / "cache", look=True)
    assert opened(source, tmp_path / "cache") == 0


def test_a_torn_line_costs_that_image_alone(source: DataSource, tmp_path: Path) -> None:
    opened(source, tmp_path / "cache")
    file = kept(tmp_path / "cache")
    file.write_bytes(file.read_bytes()[:-10])
    assert opened(source, tmp_path / "cache") == 1


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\x00",
        b"null",
        b"[]",
        b'{"a": 1}',
        b'["00.png", "1", 2, 3, null]',
        b"[1,2,3]",
        b"[" * 100_000,
    ],
)
def test_a_strange_file_is_as_good_as_none(source: DataSource, tmp_path: Path, line: bytes) -> None:
    opened(source, tmp_path / "cache")
    kept(tmp_path / "cache").write_bytes(line)
    assert opened(source, tmp_path / "cache") == 20


def test_a_cache_that_takes_nothing_is_done_without(source: DataSource, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no folder")  # as root, no mode keeps anybody from writing
    assert opened(source, tmp_path / "cache") == 20
    assert opened(source, None) == 20


def test_what_could_not_be_read_is_tried_again(source: DataSource, tmp_path: Path) -> None:
    assert source.folder is not None
    (source.folder / "03.png").write_bytes(b"")
    opened(source, tmp_path / "cache")
    assert opened(source, tmp_path / "cache") == 1


def test_an_interrupted_pass_keeps_what_it_saw(source: DataSource, tmp_path: Path) -> None:
    assert source.folder is not None

    def interrupted() -> Iterator[None]:
        yield from [None] * 9
        raise KeyboardInterrupt

    steps = interrupted()
    with pytest.raises(KeyboardInterrupt):
        scan(
            open_layout(source),
            read_folder(source.folder).images,
            tmp_path / "cache",
            lambda: next(steps),
        )
    assert opened(source, tmp_path / "cache") == 10


def test_a_file_that_is_gone_has_no_digest_and_an_error(source: DataSource) -> None:
    assert source.folder is not None
    files = read_folder(source.folder).images
    (source.folder / "05.png").unlink()
    assert digests(open_layout(source), files)["05.png"] == ""
    assert "05.png" in scan(open_layout(source), files)["05.png"].error


def test_the_facts_are_the_files_own(source: DataSource) -> None:
    assert source.folder is not None
    exif = Image.Exif()
    exif[0x0112] = 8
    Image.new("CMYK", (30, 20)).save(source.folder / "a.jpg", exif=exif)
    facts = scan(open_layout(source), read_folder(source.folder).images)["a.jpg"]
    assert (facts.width, facts.height, facts.mode, facts.bits) == (30, 20, "CMYK", 8)
    assert facts.is_turned
    assert not facts.error


def test_digits_and_other_images_without_a_file_are_examined(tmp_path: Path) -> None:
    digits = open_layout(DataSource(layout={"kind": "digits"}))
    files = [found.file for found in digits.find_images().found[:3]]
    facts = scan(digits, files, tmp_path)[files[0].path]
    assert (facts.width, facts.height, facts.mode) == (8, 8, "L")
    assert any(facts.frequencies)
