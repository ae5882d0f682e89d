from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from objectives.contract import DataError, DataSource
from objectives.data.layouts.readers import open_layout
from objectives.data.pixels.decode import decode

RAMP = np.linspace(0, 65535, 64 * 64).reshape(64, 64)


def saved(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)
    return path


def test_an_image_comes_out_square_rgb_and_channels_first(tmp_path: Path) -> None:
    path = saved(Image.new("RGB", (30, 20), (200, 100, 50)), tmp_path / "a.png")
    pixels = decode(path, 16)
    assert pixels.shape == (3, 16, 16)
    assert pixels.dtype == np.uint8
    assert pixels[:, 8, 8].tolist() == [200, 100, 50]


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "LA", "RGBA"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGB", (8, 8), (255, 255, 255)).convert(mode)
    path = saved(image, tmp_path / ("a.tif" if mode == "CMYK" else "a.png"))
    assert decode(path, 8).min() >= 254


def test_transparent_pixels_are_white_whatever_their_colour(tmp_path: Path) -> None:
    path = saved(Image.new("RGBA", (8, 8), (0, 0, 0, 0)), tmp_path / "a.png")
    assert (decode(path, 8) == 255).all()


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path: Path, suffix: str) -> None:
    path = saved(Image.fromarray(RAMP.astype(np.uint16)), tmp_path / f"a.{suffix}")
    pixels = decode(path, 64)
    assert (pixels == 255).mean() < 0.01
    assert np.abs(pixels[0] - RAMP / 257).max() <= 1


def test_floats_and_wider_integers_are_refused_with_the_path(tmp_path: Path) -> None:
    for values in (RAMP.astype(np.float32), (RAMP * 10).astype(np.int32)):
        path = saved(Image.fromarray(values), tmp_path / "a.tif")
        with pytest.raises(DataError, match=r"a.tif: .* not 8 or 16 bits"):
            decode(path, 8)


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    image = Image.new("RGB", (16, 16))
    image.paste((255, 255, 255), (0, 0, 16, 8))  # the top is white
    exif = Image.Exif()
    exif[0x0112] = 6  # show it turned right by a quarter: the top becomes the right side
    path = saved(image, tmp_path / "a.jpg", exif=exif, quality=95)
    pixels = decode(path, 16)[0]
    assert pixels[:, 8:].mean() > 240
    assert pixels[:, :8].mean() < 15


def test_a_large_jpeg_reads_as_its_full_decode_does(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 255, 1024), (768, 1)).astype(np.uint8)
    path = saved(Image.fromarray(ramp).convert("RGB"), tmp_path / "a.jpg", quality=95)
    full = np.asarray(Image.fromarray(ramp).resize((32, 32), Image.Resampling.BILINEAR))
    assert np.abs(decode(path, 32)[0].astype(int) - full).max() <= 3


@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty", "missing", "broken header"])
def test_an_unreadable_image_is_named(tmp_path: Path, damage: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = saved(Image.fromarray(noise), tmp_path / "scan.png")
    whole = path.read_bytes()
    contents = {
        "truncated": whole[: len(whole) // 2],
        "garbage": b"no image" * 99,
        "broken header": whole[:8] + b"\xff" * 40,
    }
    path.write_bytes(contents.get(damage, b""))
    if damage == "missing":
        path.unlink()
    with pytest.raises(DataError, match=r"scan.png: cannot be read .*; replace or remove it$"):
        decode(path, 32)


def test_a_digit_is_its_scan_in_full_range() -> None:
    pixels = open_layout(DataSource(layout={"kind": "digits"})).pixels_of("digit-0000", 8)
    assert pixels.shape == (3, 8, 8)
    assert (pixels[0] == pixels[2]).all()
    assert pixels.max() == 239  # 15 of 16 in the scan
