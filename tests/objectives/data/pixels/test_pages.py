import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import Base
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from objectives.contract import DataError
from objectives.data.pixels.blanks import Blank
from objectives.data.pixels.decode import decode
from objectives.data.pixels.facts import Facts, look_at_file

SHADES = (40, 130, 220)  # of the pages
STACKS = {"TIFF": "tif", "GIF": "gif", "WEBP": "webp", "PNG": "png", "AVIF": "avif"}


def page(shade: int, size: tuple[int, int] = (32, 24)) -> Image.Image:
    image = Image.new("RGB", size, (shade,) * 3)
    image.putpixel((0, 0), (255 - shade,) * 3)
    return image


def write(path: Path, *pages: Image.Image, **options: object) -> Path:
    pages[0].save(path, save_all=True, append_images=pages[1:], **options)
    return path


def shade_of(path: Path, number: int | None) -> int:
    return round(float(np.median(decode(path, 16, number))))


def facts_of(path: Path, number: int | None = None) -> Facts:
    return look_at_file(path.read_bytes(), number)


@pytest.mark.parametrize("kind", STACKS)
def test_of_several_pages_none_is_taken_unasked(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / f"a.{STACKS[kind]}", *map(page, SHADES), lossless=True)
    assert facts_of(path).pages == 3
    with pytest.raises(DataError, match=r"3 pages in one file.*; declare .* page=1 for the first"):
        decode(path, 16)


@pytest.mark.parametrize("kind", STACKS)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_pixels_and_facts_are_those_of_the_declared_page(
    tmp_path: Path, kind: str, number: int
) -> None:
    pages = [page(40), Image.new("RGB", (32, 24), (130,) * 3), page(220)]
    path = write(tmp_path / f"a.{STACKS[kind]}", *pages, lossless=True)
    assert abs(shade_of(path, number) - SHADES[number - 1]) <= 3
    assert facts_of(path, number).blank == (Blank.PLAIN if number == 2 else "")


def test_a_page_that_the_file_lacks_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", *map(page, SHADES))
    with pytest.raises(DataError, match=r"3 pages, and the study declares page=4"):
        decode(path, 16, 4)
    assert facts_of(path, 4).frequencies == b""


def test_a_single_page_is_page_1(tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", page(40))
    assert shade_of(path, 1) == shade_of(path, None) == 40


def marked(value: int) -> ImageFileDirectory_v2:
    tags = ImageFileDirectory_v2()
    tags[Base.NewSubfileType] = value
    return tags


def write_marked(path: Path, *pages: tuple[Image.Image, int]) -> Path:
    from PIL.TiffImagePlugin import AppendingTiffWriter

    with AppendingTiffWriter(path, new=True) as file:
        for image, mark in pages:
            image.save(file, "TIFF", tiffinfo=marked(mark))
            file.newFrame()
    return path


@pytest.mark.parametrize("thumbnail_first", [False, True])
def test_a_page_marked_as_a_smaller_copy_is_no_page(tmp_path: Path, thumbnail_first: bool) -> None:
    pages = [(page(40), 0), (page(220, (20, 20)), 1)]
    path = write_marked(tmp_path / "a.tif", *pages[:: -1 if thumbnail_first else 1])
    assert facts_of(path).pages == 1
    assert (facts_of(path).width, shade_of(path, None)) == (32, 40)


def test_an_unmarked_thumbnail_behind_the_image_is_no_page(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", page(40), page(220, (16, 12)))
    assert (facts_of(path).pages, shade_of(path, None)) == (1, 40)


def test_the_second_picture_of_a_phone_is_no_page(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jpg", page(40), page(220, (16, 12)), format="MPO")
    assert (facts_of(path).pages, shade_of(path, None)) == (1, 40)


def test_slices_that_imagej_keeps_behind_one_page_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    page(40).save(path, description="ImageJ=1.53t\nimages=9\nslices=9\n")
    assert facts_of(path).pages == 9
    assert shade_of(path, 1) == 40
    with pytest.raises(DataError, match=r"an ImageJ stack of 9 pages in one.*; save it with a"):
        decode(path, 16, 5)


def test_tiles_of_one_size_are_a_stack_and_no_slide(tmp_path: Path) -> None:
    from tests.objectives.data.layouts.test_whole_slides import write_tiles

    facts = facts_of(write_tiles(tmp_path / "a.tif", 32, 32, 32))
    assert (facts.error, facts.pages) == ("", 3)


def test_a_page_may_be_asked_of_a_file_in_memory() -> None:
    buffer = io.BytesIO()
    page(40).save(buffer, "TIFF", save_all=True, append_images=[page(130)])
    assert look_at_file(buffer.getvalue(), 2).pages == 2
