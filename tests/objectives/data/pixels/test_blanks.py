import io

import numpy as np
import pytest
from PIL import Image

from objectives.data.pixels.blanks import Blank
from objectives.data.pixels.facts import look_at_file

NOISE = Image.effect_noise((64, 48), 60)
STEP = np.zeros((48, 64))
STEP[:, 32:] = 1


def blank(image: Image.Image, kind: str = "PNG", **options: object) -> str:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return look_at_file(buffer.getvalue()).blank


def transparent(alpha: float) -> Image.Image:
    image = NOISE.convert("RGBA")
    image.putalpha(Image.fromarray(np.full((48, 64), alpha, np.uint8)))
    return image


@pytest.mark.parametrize(
    "image",
    [
        transparent(0),
        transparent(1),  # a mask of 0 and 1 where 255 was meant
        Image.merge("LA", (NOISE, Image.new("L", NOISE.size))),
    ],
)
def test_colours_beneath_an_alpha_of_zero_are_no_content(image: Image.Image) -> None:
    assert blank(image) == Blank.HIDDEN


def test_a_palette_whose_every_colour_is_transparent_is_no_content() -> None:
    assert blank(NOISE.quantize(16), transparency=bytes(16)) == Blank.HIDDEN


@pytest.mark.parametrize("mode", ["L", "RGB", "1", "RGBA", "I;16"])
@pytest.mark.parametrize(("share", "kind"), [(0, Blank.BLACK), (1, Blank.WHITE)])
def test_black_and_white_alone_are_no_content(mode: str, share: int, kind: Blank) -> None:
    if mode == "I;16":
        image = Image.fromarray(np.full((48, 64), 65535 * share, np.uint16))
    else:
        image = Image.new("L", (64, 48), 255 * share).convert(mode)
    assert blank(image) == kind


@pytest.mark.parametrize("options", [{"kind": "PNG"}, {"kind": "JPEG"}, {"kind": "TIFF"}])
def test_one_colour_is_no_content(options: dict[str, str]) -> None:
    assert blank(Image.new("RGB", (900, 700), (120, 60, 200)), **options) == Blank.PLAIN


def test_sixteen_bits_of_which_scaling_leaves_nothing_are_told() -> None:
    assert blank(Image.fromarray((STEP * 120).astype(np.uint16))) == Blank.FAINT
    assert blank(Image.fromarray((STEP * 255).astype(np.int32)), "TIFF") == Blank.FAINT
    assert blank(Image.fromarray((STEP * 4095).astype(np.uint16))) == ""


def test_nearly_white_is_content() -> None:
    assert blank(Image.fromarray((255 - STEP).astype(np.uint8))) == ""


def test_half_transparent_is_content() -> None:
    assert blank(transparent(128)) == ""


def test_colour_of_one_brightness_is_content() -> None:
    colours = Image.new("RGB", (900, 700), (200, 0, 0))
    colours.paste((0, 102, 0), (0, 0, 450, 700))  # as bright as the red
    assert blank(colours, "JPEG", subsampling=0, quality=95) == ""
