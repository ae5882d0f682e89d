import os
from pathlib import Path

import pytest
from PIL import Image

from objectives.data.pixels.formats import PILLOW_FORMATS, image_format

PICTURE = Image.effect_noise((40, 30), 60)
BARE_EXPLICIT = b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100"
BARE_IMPLICIT = b"\x08\x00\x16\x00\x1a\x00\x00\x001.2.840.10008.5.1.4.1.1.2\x00"
NOT_OURS = {
    "nothing": b"",
    "one byte": b"B",
    "text that begins like a PGM": b"P5 is the patient's fifth visit",
    "text that begins like a bitmap": b"BMI,weight\n22.1,70\n",
    "a web page": b"<!DOCTYPE html><title>404</title>",
    "a phone's HEIC": bytes.fromhex("0000001866747970686569630000000068656963006d696631"),
    "a HEIC of the shared brand": b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(400),
    "JPEG XL": b"\xff\x0a" + bytes(100),
    "an icon": b"\0\0\1\0\1\0\x10\x10" + bytes(100),
    "PDF": b"%PDF-1.7\n",
    "an archive": b"PK\3\4" + bytes(100),
    "zeros": bytes(600),
    "a NIfTI header": (348).to_bytes(4, "little") + bytes(400),
}


@pytest.mark.parametrize("name", [*PILLOW_FORMATS, "MPO"])
def test_a_format_is_known_whatever_the_ending(tmp_path: Path, name: str) -> None:
    path = tmp_path / "export.dat"
    PICTURE.convert("L" if name == "PPM" else "RGB").save(path, name)
    assert image_format(path) == {"MPO": "JPEG"}.get(name, name)


@pytest.mark.parametrize("head", [bytes(128) + b"DICM" + bytes(9), BARE_EXPLICIT, BARE_IMPLICIT])
def test_dicom_is_known_with_and_without_its_preamble(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "IM000001"
    path.write_bytes(head + bytes(100))
    assert image_format(path) == "DICOM"


@pytest.mark.parametrize("head", NOT_OURS.values(), ids=NOT_OURS.keys())
def test_other_files_are_no_images(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "file.png"
    path.write_bytes(head)
    assert image_format(path) is None


def test_folders_pipes_and_missing_files_are_no_images(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", ".", "missing", "nul\0"):
        assert image_format(tmp_path / name) is None
