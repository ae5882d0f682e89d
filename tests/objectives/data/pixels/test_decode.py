import re
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin
from PIL.ExifTags import Base
from PIL.PngImagePlugin import PngInfo

from objectives.contract import DataError, DataSource
from objectives.data.layouts.readers import open_layout
from objectives.data.pixels.decode import decode
from objectives.data.pixels.facts import look_at_file

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


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (RAMP.astype(np.float32) / 65535, "floating-point pixels from 0 to 1, of unknown scale"),
        (np.full((8, 8), np.nan, np.float32), "floating-point pixels that are all NaN"),
        ((RAMP * 10).astype(np.int32), r"integers from 0 to 655,350, outside 0\.\.65535"),
        (RAMP.astype(np.int32) - 1024, r"integers from -1,024 to 64,511, outside 0\.\.65535"),
    ],
)
def test_numbers_of_unknown_scale_are_refused_with_the_reason(
    tmp_path: Path, values: np.ndarray, reason: str
) -> None:
    path = saved(Image.fromarray(values), tmp_path / "a.tif")
    with pytest.raises(DataError, match=rf"a.tif: .*{reason}.*; save it as 8 bits, with black"):
        decode(path, 8)


@pytest.mark.parametrize("mode", ["LAB", "YCbCr", "CMYK"])
def test_colours_of_other_spaces_are_read_as_what_they_show(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGB", (8, 8), (200, 120, 60))
    if mode == "LAB":
        ends = (ImageCms.createProfile(each) for each in ("sRGB", "LAB"))
        image = ImageCms.profileToProfile(image, *ends, outputMode="LAB")
    else:
        image = image.convert(mode)
    pixels = decode(saved(image, tmp_path / "a.tif"), 8)
    assert np.abs(pixels[:, 4, 4].astype(int) - (200, 120, 60)).max() <= 3


def test_adobes_inverted_cmyk_is_turned_back(tmp_path: Path) -> None:
    image = Image.new("RGB", (16, 16), (200, 120, 60)).convert("CMYK")
    path = saved(image, tmp_path / "a.JPG", progressive=True, quality=95)
    assert np.abs(decode(path, 8)[:, 4, 4].astype(int) - (200, 120, 60)).max() <= 6


def test_twelve_bits_of_a_pgm_keep_their_range(tmp_path: Path) -> None:
    values = np.linspace(0, 4095, 64).round().astype(">u2")
    path = tmp_path / "a.pgm"
    path.write_bytes(b"P5 8 8 4095\n" + values.tobytes())
    assert (decode(path, 8).min(), decode(path, 8).max()) == (0, 255)


def test_three_megabytes_of_text_in_a_png_do_not_hide_its_pixels(tmp_path: Path) -> None:
    text = PngInfo()
    text.add_text("protocol", "x" * 3_000_000, zip=True)
    path = saved(Image.new("RGB", (8, 8), (9, 8, 7)), tmp_path / "a.png", pnginfo=text)
    before = PngImagePlugin.MAX_TEXT_CHUNK
    assert decode(path, 8)[:, 0, 0].tolist() == [9, 8, 7]
    assert before == PngImagePlugin.MAX_TEXT_CHUNK


def write_tiff(
    path: Path, values: np.ndarray, kind: int = 1, photometric: int = 1, **more: int
) -> Path:
    """Write an uncompressed TIFF of any numbers.

    kind: 1 unsigned, 2 signed, 3 floating-point.
    more: values of further tags, or of the bits per channel, by their names in Pillow.
    """
    channels = values.shape[2] if values.ndim == 3 else 1
    bits = more.pop("BitsPerSample", 8 * values.itemsize)
    tags = [
        *((256, values.shape[1]), (257, values.shape[0]), (258, bits), (259, 1)),
        *((262, photometric), (273, 8), (277, channels), (278, values.shape[0])),
        *((279, values.nbytes), (339, kind)),
        *((int(Base[name]), value) for name, value in more.items()),
    ]
    contents = values.tobytes()
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags))
    head = b"II*\0" + struct.pack("<I", 8 + len(contents))
    path.write_bytes(head + contents + struct.pack("<H", len(tags)) + entries + bytes(4))
    return path


@pytest.mark.parametrize(
    ("values", "kind", "reason"),
    [
        ((RAMP / 999).astype("i1"), 2, "signed integers of 8 bits"),
        ((RAMP * 2**15).astype("<u4"), 1, r"integers from 0 to 2,147,4.*, outside 0\.\.65535"),
        ((RAMP / 65535).astype("<f2"), 3, "a TIFF of 1 channel of 16-bit floating-point pixels"),
        (np.ones((8, 8, 3), "<f4"), 3, "a TIFF of 3 channels of 32-bit floating-point pixels"),
        (np.ones((8, 8, 5), "u1"), 1, "a TIFF of 5 channels of 8-bit unsigned integers"),
    ],
)
def test_numbers_that_pillow_takes_for_others_are_refused_for_what_they_are(
    tmp_path: Path, values: np.ndarray, kind: int, reason: str
) -> None:
    path = write_tiff(tmp_path / "a.tif", values, kind)
    with pytest.raises(DataError, match=rf"a.tif: .*{reason}.*; save (it as 8 bits|each channel)"):
        decode(path, 8)
    assert re.match(reason, look_at_file(path.read_bytes()).error)


@pytest.mark.parametrize("kind", ["u1", "<u2"])
def test_a_scale_from_white_to_black_is_turned_round(tmp_path: Path, kind: str) -> None:
    most = np.iinfo(kind).max
    values = (np.arange(64).reshape(8, 8) / 63 * most).astype(kind)
    pixels = decode(write_tiff(tmp_path / "a.tif", values, photometric=0), 8)
    assert (pixels[0, 0, 0], pixels[0, -1, -1]) == (255, 0)


def test_twelve_bits_of_a_tiff_keep_their_range(tmp_path: Path) -> None:
    pairs = np.linspace(0, 4095, 64).round().astype(int).reshape(8, 4, 2)
    low, high = pairs[..., 1] & 255, (pairs[..., 0] & 15) << 4 | pairs[..., 1] >> 8
    packed = np.stack([pairs[..., 0] >> 4, high, low], axis=-1).astype("u1").reshape(8, 12)
    path = write_tiff(tmp_path / "a.tif", packed, BitsPerSample=12)
    contents = bytearray(path.read_bytes())
    at = contents.index(struct.pack("<HHII", 256, 4, 1, 12))
    contents[at : at + 12] = struct.pack("<HHII", 256, 4, 1, 8)  # pixels a row, of 12 bytes
    path.write_bytes(contents)
    expected = np.linspace(0, 255, 64).reshape(8, 8)
    assert np.abs(decode(path, 8)[0] - expected).max() <= 1
    assert look_at_file(path.read_bytes()).bits == 12


@pytest.mark.parametrize(
    ("values", "photometric", "more", "says"),
    [
        (
            np.ones((8, 8, 3), "<u2"),
            2,
            {"PlanarConfiguration": 2},
            "a plane of 16 bits per channel",
        ),
        (np.ones((8, 8, 2), "u1"), 1, {"ExtraSamples": 0}, "2 channels that are no colours"),
    ],
)
def test_channels_of_which_pillow_reads_a_part_are_refused(
    tmp_path: Path, values: np.ndarray, photometric: int, more: dict[str, int], says: str
) -> None:
    path = write_tiff(tmp_path / "a.tif", values, photometric=photometric, **more)
    with pytest.raises(DataError, match=rf"a\.tif: .*{says}.*; save "):
        decode(path, 8)


KINDS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "PPM", "GIF", "JPEG2000", "AVIF")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lost", [1, 20, 300])
def test_check_and_training_agree_on_a_file_that_ends_early(
    tmp_path: Path, kind: str, lost: int
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    path = saved(Image.fromarray(noise), tmp_path / "a", format=kind)
    whole = decode(path, 32)
    path.write_bytes(path.read_bytes()[:-lost])
    warnings.simplefilter("ignore")  # Pillow tells of a truncated TIFF in words, too
    if look_at_file(path.read_bytes()).error:
        with pytest.raises(DataError, match="cannot be read as an image"):
            decode(path, 32)
    else:
        assert np.array_equal(decode(path, 32), whole)  # only what follows the pixels is lost


MISNAMED = {
    "a HEIC photograph": bytes.fromhex("0000001866747970686569630000000068656963006d696631"),
    "a web page": b"\n<!DOCTYPE html><title>404</title>",
    "a JPEG XL image": b"\xff\x0a" + bytes(100),
    "a Windows icon": b"\0\0\1\0\2\0" + b"\x10" * 100,
    "a pointer of Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a",
    "a structured report in DICOM": bytes(128)
    + b"DICM\2\0\2\0UI\x1c\x001.2.840.10008.5.1.4.1.1.88.11",
    "nothing but zeros": bytes(2000),
    "a PDF": b"%PDF-1.7",
    "text": b"Access denied\n",
}


@pytest.mark.parametrize("found", MISNAMED)
def test_a_file_that_is_no_image_is_named_for_what_it_is(tmp_path: Path, found: str) -> None:
    path = tmp_path / "scan.jpg"
    path.write_bytes(MISNAMED[found])
    with pytest.raises(DataError, match=rf"cannot be read as an image \({found}.*\); \w"):
        decode(path, 8)
    facts = look_at_file(path.read_bytes())
    assert facts.error.startswith(found)
    assert facts.fix


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
        "garbage": b"\1no image" * 99,
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
