"""The values of DICOM pixels, as PS3.3 C.11 defines them."""

import io
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless

from objectives.contract import DataError, DataSource
from objectives.data.layouts.class_folders import ClassFolders
from objectives.data.pixels.blanks import Blank
from objectives.data.pixels.decode import decode
from objectives.data.pixels.dicom import read_elements
from objectives.data.pixels.facts import Facts, look_at_file
from tests.objectives.data.left_out import numbers

SIDE = 16
LEVELS = np.linspace(0, 4095, SIDE * SIDE).round().reshape(SIDE, SIDE)
RAMP = LEVELS.astype(np.uint16)
NAME = "Mustermann^Erika"


def dataset(pixels: np.ndarray = RAMP, bits: int = 12, **elements: Any) -> Dataset:
    """Build a file of one patient's image; elements are added or replaced."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    made.PatientName, made.PatientID = NAME, "4711"
    made.Rows, made.Columns = SIDE, SIDE
    made.SamplesPerPixel = 3 if pixels.shape[-1] == 3 else 1
    made.PlanarConfiguration = 0
    made.PhotometricInterpretation = "RGB" if made.SamplesPerPixel == 3 else "MONOCHROME2"
    made.BitsAllocated, made.BitsStored, made.HighBit = 8 * pixels.itemsize, bits, bits - 1
    made.PixelRepresentation = int(pixels.dtype.kind == "i")
    made.PixelData = pixels.tobytes()
    for name, value in elements.items():
        setattr(made, name, value)
    return made


def write(path: Path, made: Dataset, **options: Any) -> Path:
    pydicom.dcmwrite(path, made, enforce_file_format=True, **options)
    return path


def grey(path: Path, page: int | None = None) -> np.ndarray:
    return decode(path, SIDE, page)[0].astype(int)


def facts_of(path: Path, page: int | None = None) -> Facts:
    return look_at_file(path.read_bytes(), page)


def test_without_a_window_the_range_of_the_bits_is_scaled(tmp_path: Path) -> None:
    path = write(tmp_path / "IM1", dataset(RAMP // 2))
    assert np.abs(grey(path) - LEVELS // 2 * 255 / 4095).max() <= 0.5
    assert (facts_of(path).bits, facts_of(path).mode) == (12, "L")


def test_signed_pixels_with_a_slope_use_the_same_range(tmp_path: Path) -> None:
    values = (RAMP.astype(np.int16) - 2048).astype(np.int16)
    path = write(tmp_path / "IM1", dataset(values, RescaleSlope=2, RescaleIntercept=-7))
    assert np.abs(grey(path) - LEVELS * 255 / 4095).max() <= 0.5


def test_a_window_is_applied_to_the_rescaled_values(tmp_path: Path) -> None:
    window = {"WindowCenter": 40, "WindowWidth": 400}
    path = write(tmp_path / "IM1", dataset(RAMP, RescaleSlope=1, RescaleIntercept=-1024, **window))
    units = LEVELS - 1024
    expected = ((units - 39.5) / 399 + 0.5).clip(0, 1) * 255  # PS3.3 C.11.2.1.2.1
    assert np.abs(grey(path) - expected).max() <= 0.5
    assert facts_of(path).bits == 8


def test_of_several_windows_the_first_is_applied(tmp_path: Path) -> None:
    several = {"WindowCenter": [2048, 10], "WindowWidth": [4096, 2]}
    path = write(tmp_path / "IM1", dataset(RAMP, **several))
    assert np.abs(grey(path) - LEVELS / 4095 * 255).max() <= 1


def test_a_table_of_values_is_applied_before_a_window(tmp_path: Path) -> None:
    item = Dataset()
    item.LUTDescriptor = [4096, 0, 8]
    item.add_new("LUTData", "OW", (np.arange(4096, dtype="<u2")[::-1] // 16).tobytes())
    path = write(
        tmp_path / "IM1", dataset(RAMP, VOILUTSequence=[item], WindowCenter=1, WindowWidth=2)
    )
    assert np.abs(grey(path) - (255 - LEVELS // 16)).max() <= 1


@pytest.mark.parametrize(
    ("half", "values"),
    [({"RescaleSlope": 2}, 2 * LEVELS), ({"RescaleIntercept": -1000}, LEVELS - 1000)],
)
def test_half_of_slope_and_intercept_is_applied(
    tmp_path: Path, half: dict[str, int], values: np.ndarray
) -> None:
    path = write(tmp_path / "IM1", dataset(RAMP, WindowCenter=1000, WindowWidth=2000, **half))
    expected = ((values - 999.5) / 1999 + 0.5).clip(0, 1) * 255
    assert np.abs(grey(path) - expected).max() <= 0.5


def test_an_empty_slope_is_none(tmp_path: Path) -> None:
    path = write(tmp_path / "IM1", dataset(RAMP, RescaleSlope=None, RescaleIntercept=None))
    assert np.abs(grey(path) - LEVELS * 255 / 4095).max() <= 0.5


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (dataset(HighBit=15), "12 bits of which the highest is bit 15; save it with HighBit"),
        (dataset(PixelData=2 * RAMP.tobytes()), "the pixels of 2 frames, which says that it has 1"),
        (dataset(Rows=5), "the pixels of 3 frames, which says that it has 1; correct its"),
    ],
)
def test_pixels_that_contradict_the_header_are_refused(
    tmp_path: Path, made: Dataset, says: str
) -> None:
    path = write(tmp_path / "IM1", made)
    with pytest.raises(DataError, match=says.replace("; ", r"\); ")):
        grey(path)
    assert says.partition(";")[0] in facts_of(path).error


def test_values_that_scaling_to_eight_bits_removes_are_faint_and_zeros_black(
    tmp_path: Path,
) -> None:
    assert facts_of(write(tmp_path / "IM1", dataset(RAMP // 256))).blank == Blank.FAINT
    assert facts_of(write(tmp_path / "IM2", dataset(RAMP * 0))).blank == Blank.BLACK


def test_values_that_the_window_of_the_file_removes_are_told_as_its_doing(tmp_path: Path) -> None:
    path = write(tmp_path / "IM1", dataset(RAMP, WindowCenter=90_000, WindowWidth=10))
    assert facts_of(path).blank == Blank.WINDOWED


@pytest.mark.parametrize("width", [0, None])
def test_a_window_without_a_width_is_none(tmp_path: Path, width: int | None) -> None:
    path = write(tmp_path / "IM1", dataset(RAMP, WindowCenter=40, WindowWidth=width))
    assert np.abs(grey(path) - LEVELS * 255 / 4095).max() <= 0.5


def test_where_low_values_are_bright_they_are_read_so(tmp_path: Path) -> None:
    path = write(tmp_path / "IM1", dataset(RAMP, PhotometricInterpretation="MONOCHROME1"))
    assert np.abs(grey(path) - (255 - LEVELS * 255 / 4095)).max() <= 0.5


def test_colours_are_read_as_rgb(tmp_path: Path) -> None:
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8) + np.array([200, 120, 60], np.uint8)
    path = write(tmp_path / "IM1", dataset(pixels, bits=8))
    assert decode(path, 8)[:, 4, 4].tolist() == [200, 120, 60]
    assert (facts_of(path).mode, facts_of(path).blank) == ("RGB", Blank.PLAIN)


def test_luminance_and_colour_are_converted_to_rgb(tmp_path: Path) -> None:
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8) + np.array([76, 85, 255], np.uint8)
    path = write(tmp_path / "IM1", dataset(pixels, 8, PhotometricInterpretation="YBR_FULL"))
    assert np.abs(decode(path, 8)[:, 4, 4].astype(int) - (254, 0, 0)).max() <= 2


def test_a_palette_gives_its_colours(tmp_path: Path) -> None:
    made = dataset(np.full((SIDE, SIDE), 1, np.uint8), 8, PhotometricInterpretation="PALETTE COLOR")
    for name, value in (("Red", 200), ("Green", 120), ("Blue", 60)):
        setattr(made, f"{name}PaletteColorLookupTableDescriptor", [2, 0, 16])
        table = np.array([0, value * 257], "<u2").tobytes()
        setattr(made, f"{name}PaletteColorLookupTableData", table)
    assert decode(write(tmp_path / "IM1", made), 8)[:, 4, 4].tolist() == [200, 120, 60]


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
def test_compressed_pixels_are_those_of_the_uncompressed_file(tmp_path: Path, syntax: str) -> None:
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    name = {RLELossless: "RLE", JPEG2000Lossless: "jp2klossless"}.get(syntax, "jpeg_ls_lossless")
    assert (
        decode(folder / f"MR_small_{name}.dcm", 32) == decode(folder / "MR_small.dcm", 32)
    ).all()


def test_a_file_without_preamble_is_read(tmp_path: Path) -> None:
    made = dataset(RAMP)
    del made.file_meta
    path = tmp_path / "00001"
    pydicom.dcmwrite(path, made, implicit_vr=True, little_endian=True)
    assert np.abs(grey(path) - LEVELS * 255 / 4095).max() <= 0.5


def test_of_several_frames_none_is_taken_unasked(tmp_path: Path) -> None:
    frames = np.stack([np.full_like(RAMP, 819 * n) for n in range(5)])
    path = write(tmp_path / "IM1", dataset(frames, NumberOfFrames=5))
    assert facts_of(path).pages == 5
    with pytest.raises(DataError, match=r"5 pages in one file"):
        decode(path, SIDE)
    assert grey(path, 3).max() == round(2 * 819 / 4095 * 255)


def test_a_frame_of_an_enhanced_file_has_its_own_window(tmp_path: Path) -> None:
    def groups(width: int) -> Dataset:
        window, group = Dataset(), Dataset()
        window.WindowCenter, window.WindowWidth = width / 2, width
        group.FrameVOILUTSequence = [window]
        return group

    made = dataset(np.stack([RAMP, RAMP]), NumberOfFrames=2)
    made.PerFrameFunctionalGroupsSequence = [groups(4096), groups(2048)]
    path = write(tmp_path / "IM1", made)
    assert np.abs(grey(path, 1) - LEVELS / 4095 * 255).max() <= 1
    assert np.abs(grey(path, 2) - (LEVELS / 2047 * 255).clip(0, 255)).max() <= 1
    assert facts_of(path, 2).bits == 8


def test_no_name_of_a_patient_is_read_or_shown(tmp_path: Path) -> None:
    path = write(tmp_path / "IM1", dataset(RAMP))
    elements = read_elements(io.BytesIO(path.read_bytes()))
    assert NAME not in str(elements)
    assert "4711" not in str(elements)
    path.write_bytes(path.read_bytes()[:-99])
    facts = facts_of(path)
    assert facts.error.startswith("damaged DICOM: ")
    assert NAME not in str(facts)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"Rows": 0}, "DICOM that does not say the size of its pixels"),
        ({"PixelData": None}, "DICOM without pixels"),
        ({"Columns": [16, 16]}, "damaged DICOM: .*"),
    ],
)
def test_a_file_without_an_image_is_told(
    tmp_path: Path, change: dict[str, Any], found: str
) -> None:
    made = dataset(RAMP, **change)
    if made.PixelData is None:
        del made.PixelData
    path = write(tmp_path / "IM1", made)
    assert re.fullmatch(found, facts_of(path).error)
    with pytest.raises(DataError, match=rf"IM1: cannot be read as an image \({found}\)"):
        decode(path, SIDE)


def test_over_100_megapixels_are_known_by_the_header(tmp_path: Path) -> None:
    path = write(tmp_path / "IM1", dataset(RAMP, Rows=20_000, Columns=20_000))
    assert facts_of(path).is_huge
    with pytest.raises(DataError, match="over 100 megapixels"):
        decode(path, SIDE)


def test_without_pydicom_one_line_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "IM1", dataset(RAMP))
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(DataError, match=r"DICOM needs pydicom.*; pip install 'search\[dicom\]'$"):
        decode(path, SIDE)
    assert facts_of(path).fix == "pip install 'search[dicom]'"


def test_dicom_stands_beside_other_images_and_what_is_none_is_counted(tmp_path: Path) -> None:
    for number in range(4):
        for label in ("benign", "malignant"):
            (tmp_path / label / f"{number}").mkdir(parents=True)
            noise = np.random.default_rng(number).integers(0, 4096, RAMP.shape, dtype=np.uint16)
            write(tmp_path / label / f"{number}" / "IM000001", dataset(noise))
            Image.effect_noise((20, 20), 50).save(tmp_path / label / f"{number}" / "photo.jpg")
    report = dataset(RAMP)
    report.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.11"
    report.file_meta.MediaStorageSOPClassUID = report.SOPClassUID
    write(tmp_path / "benign" / "SR000001.dcm", report)
    listing = ClassFolders(
        DataSource(layout={"kind": "class_folders"}, folder=tmp_path)
    ).find_images()
    assert len(listing.found) == 16
    assert numbers(listing.left_out) == {"DICOM files, each a structured report": 1}
