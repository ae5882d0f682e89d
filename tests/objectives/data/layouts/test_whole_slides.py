import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from objectives.contract import DataError, DataSource
from objectives.data.layouts.class_folders import ClassFolders
from objectives.data.layouts.readers import open_layout
from objectives.data.pixels.decode import decode
from tests.objectives.conftest import write_image

FOLDERS = {"kind": "class_folders"}


def write_tiles(path: Path, *sizes: int) -> Path:
    """Write a grey TIFF with one page of 16 px tiles per size, as a slide scanner's export is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = bytearray(b"II*\0" + struct.pack("<I", 8))
    for number, size in enumerate(sizes, start=1):
        tiles = (size // 16) ** 2
        start = len(whole) + 2 + 9 * 12 + 4
        offsets, counts = start, start + 4 * tiles
        pixels = start + 8 * tiles
        tags = [
            (256, 4, 1, size),
            (257, 4, 1, size),
            (258, 3, 1, 8),
            (259, 3, 1, 1),
            (262, 3, 1, 1),
            (322, 3, 1, 16),
            (323, 3, 1, 16),
            (324, 4, tiles, offsets),
            (325, 4, tiles, counts),
        ]
        end = pixels + 256 * tiles
        whole += struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
        whole += struct.pack("<I", end if number < len(sizes) else 0)
        whole += struct.pack(f"<{tiles}I", *range(pixels, end, 256))
        whole += struct.pack(f"<{tiles}I", *[256] * tiles) + bytes(256 * tiles)
    path.write_bytes(whole)
    return path


def test_a_pyramid_of_tiles_is_refused_and_tiling_recommended(tmp_path: Path) -> None:
    path = write_tiles(tmp_path / "a.tiff", 64, 32)
    with pytest.raises(DataError, match=r"a.tiff: a whole-slide scan.*; cut it into tiles first"):
        decode(path, 32)


def test_one_page_of_tiles_is_an_ordinary_image(tmp_path: Path) -> None:
    path = write_tiles(tmp_path / "a.tif", 64)
    assert decode(path, 32).shape == (3, 32, 32)


def test_a_folder_of_slides_is_refused_before_anything_is_decoded(tmp_path: Path) -> None:
    write_tiles(tmp_path / "benign" / "0005f7aaab2800f6170c399693a96917.tiff", 64, 32)
    write_tiles(tmp_path / "cancer" / "000920ad0b612851f8e01bcc880d9b3d.tiff", 128, 64, 32)
    with pytest.raises(DataError, match=r"000920.*whole-slide scan.*cut it into tiles first"):
        ClassFolders(DataSource(layout=FOLDERS, folder=tmp_path)).find_images()


@pytest.mark.parametrize("name", ["a.svs", "a.ndpi", "a.MRXS"])
@pytest.mark.parametrize("kind", ["class_folders", "file_names"])
def test_a_scanners_own_format_is_named(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / "cancer").mkdir()
    (tmp_path / "cancer" / name).write_bytes(b"scan")
    with pytest.raises(DataError, match=rf"{name}: a whole-slide scan; cut it into tiles first"):
        open_layout(
            DataSource(layout={"kind": kind, "label": r"_(\d)"}, folder=tmp_path)
        ).find_images()


def test_a_huge_image_among_others_does_not_stop_the_reading(tmp_path: Path) -> None:
    write_image(tmp_path / "a" / "1.png")
    Image.new("1", (10001, 10001)).save(tmp_path / "b.png")
    (tmp_path / "b").mkdir()
    (tmp_path / "b.png").rename(tmp_path / "b" / "2.png")
    assert len(ClassFolders(DataSource(layout=FOLDERS, folder=tmp_path)).find_images().found) == 2


@pytest.mark.parametrize("size", [(10001, 10001), (20000, 20000)])
def test_an_image_over_100_megapixels_is_refused_by_its_header(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    Image.new("1", size).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[:100])  # nothing to decode is left
    with pytest.raises(DataError, match=rf"a.png: {size[0]} x {size[1]} pixels, over 100 megap"):
        decode(tmp_path / "a.png", 32)


def test_importing_and_reading_leave_pillows_own_limit_as_it_was(tmp_path: Path) -> None:
    limit = Image.MAX_IMAGE_PIXELS
    paths = [write_image(tmp_path / f"{number}.png", seed=number) for number in range(20)]
    Image.new("1", (20000, 20000)).save(tmp_path / "huge.png")
    with ThreadPoolExecutor(4) as pool:
        assert len(list(pool.map(lambda path: decode(path, 8), paths))) == 20
    with pytest.raises(DataError, match="over 100 megapixels"):
        decode(tmp_path / "huge.png", 8)
    assert limit == Image.MAX_IMAGE_PIXELS is not None
