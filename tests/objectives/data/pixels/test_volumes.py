"""Decoding a patient's NIfTI files, and the files that are refused."""

import gzip
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from objectives.contract import Attempt, DataError
from objectives.data.layouts.readers import open_layout
from objectives.data.pixels.volumes import BACKGROUND, decode_volume, read_scan
from objectives.sets.opened import WarmSets
from tests.objectives.volume_files import (
    BRATS,
    MILLIMETRES,
    brain,
    write_nifti,
    write_patient,
    write_tree,
)

SHAPE = (24, 20, 16)  # a brain of 20 x 16 x 12 in it


@pytest.fixture
def scan() -> np.ndarray:
    return brain(np.random.default_rng(0))


def decoded(*paths: Path, size: int) -> np.ndarray:
    """Decode the volumes in these files as one cube."""
    return decode_volume({path: path.read_bytes() for path in paths}, size)


def test_voxels_are_measured_in_deviations_of_their_own_brain(
    tmp_path: Path, scan: np.ndarray
) -> None:
    path = write_nifti(tmp_path / "a.nii", scan)
    cube = decoded(path, size=20)[0].astype(float)
    z = (scan[scan != 0] - scan[scan != 0].mean()) / scan[scan != 0].std()
    # At its own size nothing is resampled, so every voxel is found again.
    assert np.sort(cube[cube != BACKGROUND]) == pytest.approx(
        np.sort((z * 31.75).round()[np.rint(z * 31.75) != 0] + 128)
    )


@pytest.mark.parametrize("change", [lambda v: v * 7, lambda v: v + 1000 * (v != 0)])
def test_a_scanners_unit_changes_no_byte(
    tmp_path: Path, scan: np.ndarray, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    one = write_nifti(tmp_path / "a.nii", scan.astype(np.float32))
    other = write_nifti(tmp_path / "b.nii", change(scan).astype(np.float32))
    difference = decoded(one, size=16).astype(int) - decoded(other, size=16)
    assert abs(difference).max() <= 1


def test_an_outlier_ends_at_four_deviations(tmp_path: Path, scan: np.ndarray) -> None:
    scan[12, 10, 8], scan[12, 10, 9] = 30000, -30000
    cube = decoded(write_nifti(tmp_path / "a.nii", scan), size=20)
    assert (cube.min(), cube.max()) == (1, 255)


def test_the_brain_fills_the_longest_side_and_keeps_its_proportions(
    tmp_path: Path, scan: np.ndarray
) -> None:
    cube = decoded(write_nifti(tmp_path / "a.nii", scan), size=40)[0]
    there = [
        np.flatnonzero((cube != BACKGROUND).any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))
    ]
    assert [(each[0], each[-1] + 1) for each in there] == [(0, 40), (4, 36), (8, 32)]


def test_proportions_are_those_of_millimetres(tmp_path: Path, scan: np.ndarray) -> None:
    thick = write_nifti(tmp_path / "a.nii", scan, np.diag([1.0, 1.0, 5 / 3, 1.0]))
    cube = decoded(thick, size=20)[0]
    there = np.flatnonzero((cube != BACKGROUND).any(axis=(0, 1)))
    assert len(there) == 20  # 12 voxels of 5/3 mm are as long as 20 of 1 mm


def test_the_box_holds_the_brain_of_every_modality(tmp_path: Path, scan: np.ndarray) -> None:
    small = np.where(np.arange(24)[:, None, None] < 12, scan, 0)
    paths = [write_nifti(tmp_path / "a.nii", small), write_nifti(tmp_path / "b.nii", scan)]
    cube = decoded(*paths, size=20)
    assert (cube[0] != BACKGROUND).any(axis=(1, 2)).sum() == 10
    assert (cube[1] != BACKGROUND).any(axis=(1, 2)).sum() == 20


def test_a_scan_stored_the_other_way_round_becomes_the_same(
    tmp_path: Path, scan: np.ndarray
) -> None:
    scan[2:12] += 100 * (scan[2:12] != 0)  # one half brighter
    plain = write_nifti(tmp_path / "a.nii", scan, np.eye(4))
    turned = write_nifti(
        tmp_path / "b.nii",
        scan[::-1].transpose(2, 0, 1),
        np.array([[0.0, -1, 0, 23], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1]]),
    )
    assert np.array_equal(decoded(plain, size=16), decoded(turned, size=16))


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_modalities_are_channels_in_the_declared_order(tmp_path: Path, suffix: str) -> None:
    patient = write_patient(tmp_path, "HGG", 1, suffix)
    source = write_tree(tmp_path, high=0, low=1)
    layout = open_layout(source)
    cube = layout.pixels_of(patient.relative_to(tmp_path).as_posix(), 16)
    one = decoded(patient / f"{patient.name}_t1ce{suffix}", size=16)
    assert cube.shape == layout.pixels_shape(16) == (4, 16, 16, 16)
    assert np.array_equal(cube[BRATS["modalities"].index("t1ce")], one[0])


@pytest.mark.parametrize("around", [-9, 7, 0.25])
def test_the_value_around_the_brain_is_background_whatever_it_is(
    tmp_path: Path, scan: np.ndarray, around: float
) -> None:
    usual = write_nifti(tmp_path / "a.nii", scan.astype(np.float32))
    other = np.where(scan == 0, around, scan).astype(np.float32)
    assert np.array_equal(
        decoded(usual, size=16), decoded(write_nifti(tmp_path / "b.nii", other), size=16)
    )


def test_each_modality_has_a_background_of_its_own(tmp_path: Path, scan: np.ndarray) -> None:
    one = write_nifti(tmp_path / "a.nii", scan)
    other = write_nifti(tmp_path / "b.nii", np.where(scan == 0, 7, scan).astype(np.int16))
    first, second = decoded(one, other, size=16)
    assert np.array_equal(first, second)


def test_a_volume_in_noise_has_no_background(tmp_path: Path, scan: np.ndarray) -> None:
    noise = np.random.default_rng(1).integers(1, 30, scan.shape)
    path = write_nifti(tmp_path / "a.nii", np.where(scan == 0, noise, scan).astype(np.int16))
    assert read_scan({path: path.read_bytes()}).backgrounds == (None,)
    assert (decoded(path, size=24)[0, :, 2:22, 4:20] != BACKGROUND).mean() > 0.9


@pytest.mark.parametrize("scale", [1e200, 1e-200, 1e30])
def test_huge_and_tiny_units_change_no_byte(tmp_path: Path, scan: np.ndarray, scale: float) -> None:
    plain = decoded(write_nifti(tmp_path / "a.nii", scan.astype(np.float64)), size=16)
    kind = np.float32 if scale == 1e30 else np.float64
    other = decoded(write_nifti(tmp_path / "b.nii", (scan * scale).astype(kind)), size=16)
    assert abs(plain.astype(int) - other).max() <= 1


def test_a_fourth_axis_of_one_is_left_out(tmp_path: Path, scan: np.ndarray) -> None:
    plain = write_nifti(tmp_path / "a.nii", scan)
    other = write_nifti(tmp_path / "b.nii", scan[..., None, None])
    assert np.array_equal(decoded(plain, size=16), decoded(other, size=16))


@pytest.mark.parametrize("name", ["a.nii", "A.NII", "a.nii.gz", "A.NII.GZ"])
@pytest.mark.parametrize("packed", [False, True])
def test_gzip_is_known_by_its_content(
    tmp_path: Path, scan: np.ndarray, name: str, packed: bool
) -> None:
    plain = write_nifti(tmp_path / "plain.nii", scan)
    contents = plain.read_bytes()
    cube = decode_volume({Path(name): gzip.compress(contents) if packed else contents}, 16)
    assert np.array_equal(cube, decoded(plain, size=16))


def test_a_slope_of_zero_means_no_scaling(tmp_path: Path, scan: np.ndarray) -> None:
    plain = write_nifti(tmp_path / "a.nii", scan)
    contents = bytearray(plain.read_bytes())
    contents[112:116] = bytes(4)  # scl_slope of a NIfTI-1 header
    assert np.array_equal(
        decode_volume({Path("b.nii"): bytes(contents)}, 16), decoded(plain, size=16)
    )


def test_an_odd_header_is_no_noise_in_the_log(
    tmp_path: Path, scan: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    plain = write_nifti(tmp_path / "a.nii", scan)
    contents = bytearray(plain.read_bytes())
    contents[80:92] = bytes(12)  # pixdim; the affine says the same and counts
    decode_volume({Path("b.nii"): bytes(contents)}, 16)
    assert caplog.records == []


COLOURS = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:500])


def no_direction(path: Path) -> None:
    contents = bytearray(gzip.decompress(path.read_bytes()))
    contents[254:256] = b"\x01\x00"  # sform_code of a NIfTI-1 header: the affine counts
    contents[280:328] = bytes(48)  # srow_x, srow_y, srow_z
    path.write_bytes(gzip.compress(contents))


def no_voxel_size(path: Path) -> None:
    contents = bytearray(gzip.decompress(path.read_bytes()))
    contents[80:92], contents[252:256] = bytes(12), bytes(4)  # pixdim, qform_code and sform_code
    path.write_bytes(gzip.compress(contents))


def flip_a_bit(path: Path) -> None:
    """Change one voxel: only the checksum at the end of the file tells."""
    stored = bytearray(gzip.compress(gzip.decompress(path.read_bytes()), 0))
    stored[len(stored) // 2] ^= 1
    path.write_bytes(stored)


def promise_terabytes(path: Path) -> None:
    contents = bytearray(gzip.decompress(path.read_bytes()))
    contents[42:48] = b"\xff\x7f" * 3  # dim of a NIfTI-1 header: 32767 voxels to a side
    path.write_bytes(gzip.compress(contents))


def shift(path: Path) -> None:
    affine = MILLIMETRES.copy()
    affine[0, 3] += 20
    write_nifti(path, brain(np.random.default_rng(0)), affine)


def no_orientation(path: Path) -> None:
    contents = bytearray(gzip.decompress(path.read_bytes()))
    contents[252:256] = bytes(4)  # qform_code and sform_code: nibabel then turns left and right
    path.write_bytes(gzip.compress(contents))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (truncate, r"cannot be read as NIfTI .*; replace it"),
        (lambda path: path.write_bytes(b""), r"cannot be read as NIfTI .*; replace it"),
        (lambda path: write_nifti(path, np.zeros((*SHAPE, 2), np.int16)), r"has 4 dimensions"),
        (lambda path: write_nifti(path, np.zeros(SHAPE, np.int16)), r"is empty .*; replace it"),
        (lambda path: write_nifti(path, np.full(SHAPE, np.nan)), r"NaN or infinity; replace it"),
        (lambda path: write_nifti(path, np.ones(SHAPE, COLOURS)), r"not plain numbers; convert it"),
        (lambda path: write_nifti(path, np.ones(SHAPE, np.complex64)), r"not plain numbers; conv"),
        (flip_a_bit, r"cannot be read as NIfTI .*; replace it"),
        (promise_terabytes, r"cannot be read as NIfTI .*; replace it"),
        (no_direction, r"its affine gives an axis no direction.*; replace it"),
        (no_voxel_size, r"voxels have no size: correct pixdim and affine.*; replace it"),
        (
            shift,
            r"its header places it up to 20 mm from a\.nii\.gz beside it; resample .* copy the",
        ),
        (no_orientation, r"its header places it up to \d+ mm from a\.nii\.gz beside it; resample"),
        (
            lambda path: write_nifti(path, np.ones((24, 20, 8), np.int16)),
            r"24x20x8 voxels of 1x1x1 mm, and a\.nii\.gz beside it is 24x20x16 .*; resample",
        ),
    ],
)
def test_a_file_that_is_no_volume_is_named_with_the_fix(
    tmp_path: Path, scan: np.ndarray, spoil: Callable[[Path], object], said: str
) -> None:
    good = write_nifti(tmp_path / "a.nii.gz", scan)
    bad = write_nifti(tmp_path / "b.nii.gz", scan)
    spoil(bad)
    with pytest.raises(DataError, match=rf"b\.nii\.gz: .*{said}"):
        decoded(good, bad, size=16)


def test_headers_that_differ_by_less_than_a_voxel_are_one_grid(
    tmp_path: Path, scan: np.ndarray
) -> None:
    near = MILLIMETRES.copy()
    near[:3, 3] += 0.4
    paths = [write_nifti(tmp_path / "a.nii", scan), write_nifti(tmp_path / "b.nii", scan, near)]
    one, other = decoded(*paths, size=16)
    assert (one == other).all()


def test_without_nibabel_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nibabel", None)
    with pytest.raises(DataError, match=r"pip install 'search\[volumes\]'"):
        decode_volume({tmp_path / "a.nii": b""}, 16)


def test_volumes_are_opened_as_sets_and_decoded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_tree(tmp_path / "data", high=6, low=3)
    attempt = Attempt(folder=tmp_path, data=source, cache=tmp_path / "cache")
    first = WarmSets().open(attempt, 16)["train"]
    monkeypatch.setitem(sys.modules, "nibabel", None)  # from here on nothing can be decoded
    again = WarmSets().open(attempt, 16)["train"]
    assert first.images.shape == (len(first), 4, 16, 16, 16)
    assert first.images.equal(again.images)
