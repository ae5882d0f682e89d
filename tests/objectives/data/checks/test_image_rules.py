from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from objectives.contract import DataError, DataSource
from objectives.data.checks.check import check_data
from objectives.data.manifest.manifest import read_manifest
from objectives.data.pixels.decode import decode
from objectives.data.problems import Problem

Problems = Callable[[DataSource], dict[str, Problem]]
NAME = "train/benign/p0_0.png"


def put(source: DataSource, image: Image.Image, name: str = NAME, **how: object) -> None:
    assert source.folder is not None
    image.save(source.folder / name, **how)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.98])
def test_a_file_that_ends_early_is_found(
    tree: DataSource, problems: Problems, share: float
) -> None:
    assert tree.folder is not None
    contents = (tree.folder / NAME).read_bytes()
    (tree.folder / NAME).write_bytes(contents[: int(share * len(contents))])
    found = problems(tree)
    assert set(found) == {"C05"}
    assert found["C05"].paths == (NAME,)
    assert found["C05"].can_fix


def test_a_jpeg_that_ends_early_is_found(tree: DataSource, problems: Problems) -> None:
    assert tree.folder is not None
    put(tree, Image.effect_noise((300, 200), 50), "train/benign/p900_0.jpg")
    path = tree.folder / "train/benign/p900_0.jpg"
    path.write_bytes(path.read_bytes()[:-500])
    assert problems(tree)["C05"].paths == ("train/benign/p900_0.jpg",)


def test_sixteen_bits_are_reported_with_the_way_they_are_read(
    tree: DataSource, problems: Problems
) -> None:
    put(tree, Image.fromarray(np.arange(1600, dtype=np.uint16).reshape(40, 40) * 40))
    found = problems(tree)
    assert set(found) == {"C06"}
    assert "1 image of 180 has 16 bits" in found["C06"].message
    assert "the whole range of 16 bits is scaled to 8" in found["C06"].message
    assert "`search run` with --skip-check C06" in found["C06"].message
    assert not found["C06"].can_fix


@pytest.mark.parametrize("values", [np.float32(0.5), np.int32(-1000), np.int32(70_000)])
def test_values_that_training_cannot_scale_are_found(
    tree: DataSource, problems: Problems, values: np.generic
) -> None:
    put(tree, Image.fromarray(np.full((40, 40), values)), "train/benign/p900_0.tif")
    found = problems(tree)
    assert found["C05"].paths == ("train/benign/p900_0.tif",)
    assert "C06" not in found


def test_a_format_that_pillow_knows_by_its_name_alone_is_found(
    tree: DataSource, problems: Problems
) -> None:
    assert tree.folder is not None
    put(tree, Image.new("RGB", (16, 16)), format="DDS")
    contents = bytearray((tree.folder / NAME).read_bytes())
    contents[80:84] = bytes(4)  # the pixel format's flags
    (tree.folder / NAME).write_bytes(contents)
    assert problems(tree)["C05"].paths == (NAME,)
    with pytest.raises(DataError, match=r"p0_0\.png: cannot be read"):
        decode(tree.folder / NAME, 32)


def test_exif_that_training_fails_on_is_found(tree: DataSource, problems: Problems) -> None:
    assert tree.folder is not None
    path, exif = tree.folder / "train/benign/p900_0.jpg", Image.Exif()
    exif[0x010E], exif[0x0112] = "text", 6
    Image.effect_noise((60, 40), 50).save(path, exif=exif)
    # The text gets the tag of the width, which is written back as a number.
    path.write_bytes(path.read_bytes().replace(b"\x01\x0e\x00\x02", b"\x01\x00\x00\x02", 1))
    assert problems(tree)["C05"].paths == ("train/benign/p900_0.jpg",)
    with pytest.raises(DataError, match=r"p900_0\.jpg: cannot be read"):
        decode(path, 32)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "1"])
def test_a_second_mode_is_reported(tree: DataSource, problems: Problems, mode: str) -> None:
    assert tree.folder is not None
    put(tree, Image.open(tree.folder / NAME).convert(mode))
    found = problems(tree)
    assert set(found) == {"C07"}
    assert f"179 RGB, 1 {mode} " in found["C07"].message
    assert found["C07"].paths == (NAME,)


def test_an_image_that_exif_turns_is_reported(tree: DataSource, problems: Problems) -> None:
    assert tree.folder is not None
    exif = Image.Exif()
    exif[0x0112] = 6
    put(tree, Image.open(tree.folder / NAME), exif=exif)
    assert "1 turned by Exif" in problems(tree)["C07"].message


def test_over_100_megapixels_are_recognised_by_the_header(
    tree: DataSource, problems: Problems
) -> None:
    put(tree, Image.new("1", (10_001, 10_000)))
    found = problems(tree)
    assert set(found) == {"C12"}
    assert "10,001 x 10,000" in found["C12"].message
    assert found["C12"].can_fix


def test_files_of_several_pages_are_counted_and_named(tree: DataSource, problems: Problems) -> None:
    assert tree.folder is not None
    stack = [Image.effect_noise((40, 40), 50) for _ in range(9)]
    put(tree, stack[0], "train/benign/p900_0.tif", save_all=True, append_images=stack[1:])
    found = problems(tree)["C20"]
    assert (found.level, found.paths) == ("error", ("train/benign/p900_0.tif",))
    assert "1 image of 181 holds several pages or frames" in found.message
    assert "for example 9 pages; say in the study's data declaration" in found.message
    declared = replace(tree, layout={**tree.layout, "page": 9})
    assert "180 images of 181 lack page 9" in problems(declared)["C20"].message
    assert "C20" not in problems(replace(tree, layout={**tree.layout, "page": 1}))


def test_a_class_without_content_is_an_error(tree: DataSource, problems: Problems) -> None:
    assert tree.folder is not None
    for path in tree.folder.glob("*/benign/*"):
        image = Image.open(path).convert("RGBA")
        image.putalpha(0)
        image.save(path)
    found = problems(tree)["C19"]
    assert (found.level, len(found.paths), found.can_fix) == ("error", 90, True)
    assert "90 images are transparent everywhere (90 of 90 benign)" in found.message
    assert found.message.endswith("save them without their alpha channel")


def test_a_few_blank_images_are_a_warning(tree: DataSource, problems: Problems) -> None:
    put(tree, Image.new("RGB", (40, 40)))
    found = problems(tree)["C19"]
    assert (found.level, found.paths) == ("warn", (NAME,))
    assert "1 image is black everywhere (1 of 90 benign)" in found.message


@pytest.mark.parametrize("size", [(1, 1), (7, 40), (9000, 9)])
def test_a_tiny_or_thin_image_is_told(
    tree: DataSource, problems: Problems, size: tuple[int, int]
) -> None:
    put(tree, Image.effect_noise(size, 50).convert("RGB"))
    found = problems(tree)["C12"]
    assert (found.level, found.paths) == ("warn", (NAME,))
    assert f"{size[0]:,} x {size[1]:,}" in found.message


def test_unreadable_images_are_told_by_the_way_out(tree: DataSource) -> None:
    assert tree.folder is not None
    (tree.folder / NAME).write_bytes(b"<!DOCTYPE html>")
    put(tree, Image.fromarray(np.full((40, 40), np.float32(0.5))), "train/benign/p900_0.tif")
    found = [each for each in check_data(tree, read_manifest(tree)) if each.rule == "C05"]
    ways = {each.paths: each.message for each in found}
    assert "; download it again, or let --fix" in ways[(NAME,)]
    assert "; save it as 8 bits, with black" in ways[("train/benign/p900_0.tif",)]
