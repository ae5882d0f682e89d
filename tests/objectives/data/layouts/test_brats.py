import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from objectives.contract import DataError, DataSource
from objectives.data.checks.check import check_data
from objectives.data.layouts.brats import Brats, modality_files
from objectives.data.layouts.readers import open_layout
from objectives.data.manifest.manifest import read_manifest
from tests.objectives.data.left_out import numbers
from tests.objectives.volume_files import write_nifti, write_tree

MODALITIES = ("flair", "t1", "t1ce", "t2")
SOURCE = {"kind": "brats"}


def write_patient(folder: Path, *words: str, suffix: str = ".nii.gz") -> Path:
    """Write one 4 x 4 x 3 volume per word, and the segmentation that training data come with."""
    folder.mkdir(parents=True)
    for number, word in enumerate((*words, "seg")):
        volume = nib.Nifti1Image(np.full((4, 4, 3), number, np.int16), np.eye(4))
        nib.save(volume, folder / f"{folder.name}_{word}{suffix}")
    return folder


@pytest.fixture(params=[".nii", ".nii.gz"])
def brats(tmp_path: Path, request: pytest.FixtureRequest) -> DataSource:
    """Three patients with a high grade and two with a low one, named as in BraTS 2018."""
    top = tmp_path / "MICCAI_BraTS_2018_Data_Training"
    for path in (
        "HGG/Brats18_2013_2_1",
        "HGG/Brats18_CBICA_AAB_1",
        "HGG/Brats18_TCIA01_131_1",
        "LGG/Brats18_2013_0_1",
        "LGG/Brats18_TCIA10_103_1",
    ):
        write_patient(top / path, *MODALITIES, suffix=request.param)
    return DataSource(layout=SOURCE, folder=tmp_path)


def test_a_patient_is_one_image_with_grade_site_and_itself_as_group(brats: DataSource) -> None:
    listing = Brats(brats).find_images()
    assert listing.classes == ("HGG", "LGG")
    assert Counter(each.label for each in listing.found) == {"HGG": 3, "LGG": 2}
    assert [each.site for each in listing.found] == ["2013", "CBICA", "TCIA01", "2013", "TCIA10"]
    first = listing.found[0]
    assert first.file.path == "MICCAI_BraTS_2018_Data_Training/HGG/Brats18_2013_2_1"
    assert (first.group, first.split) == ("Brats18_2013_2", "")
    assert not listing.problems


def test_the_grades_may_lie_right_in_the_folder(brats: DataSource) -> None:
    assert brats.folder is not None
    below = DataSource(layout=SOURCE, folder=brats.folder / "MICCAI_BraTS_2018_Data_Training")
    assert Brats(below).find_images().found[0].file.path == "HGG/Brats18_2013_2_1"
    assert len(Brats(below).find_images().found) == 5


def test_files_come_in_the_order_of_the_modalities(brats: DataSource) -> None:
    assert brats.folder is not None
    path = Brats(brats).find_images().found[0].file.path
    files = modality_files(brats.folder, path, ("t2", "t1ce"))
    assert [nib.load(file).get_fdata().max() for file in files] == [3, 2]


@pytest.mark.parametrize(
    ("patient", "scans"),
    [("Brats18_TCIA09_402", ("_1", "_2")), ("BraTS-GLI-00005", ("-000", "-001"))],
)
def test_two_scans_of_a_patient_are_one_group(
    tmp_path: Path, patient: str, scans: tuple[str, str]
) -> None:
    for scan in scans:
        write_patient(tmp_path / "LGG" / f"{patient}{scan}", *MODALITIES)
    groups = [
        each.group for each in Brats(DataSource(layout=SOURCE, folder=tmp_path)).find_images().found
    ]
    assert groups == [patient, patient]


@pytest.mark.parametrize("word", ["t1c", "t1Gd", "T1CE"])
def test_the_contrast_scan_is_found_by_each_of_its_names(tmp_path: Path, word: str) -> None:
    write_patient(tmp_path / "HGG" / "Brats18_CBICA_AAB_1", "flair", "t1", word, "t2")
    (contrast,) = modality_files(tmp_path, "HGG/Brats18_CBICA_AAB_1", ("t1ce",))
    assert contrast.name == f"Brats18_CBICA_AAB_1_{word}.nii.gz"


def test_a_patient_without_a_modality_is_left_out_counted_and_named(brats: DataSource) -> None:
    assert brats.folder is not None
    path = "MICCAI_BraTS_2018_Data_Training/LGG/Brats18_2013_0_1"
    modality_files(brats.folder, path, ("t1ce",))[0].unlink()
    listing = Brats(brats).find_images()
    assert len(listing.found) == 4
    assert numbers(listing.left_out) == {"without t1ce": 1, "segmentations": 4}
    (problem,) = listing.problems
    assert (problem.rule, problem.level, problem.paths) == ("C04", "error", (path,))
    assert problem.message.startswith(f"1 of 5 patients lack a modality, {path} for example t1ce; ")
    with pytest.raises(DataError, match=r"2013_0_1: no t1ce file; .* remove the patient$"):
        modality_files(brats.folder, path, MODALITIES)


def test_only_the_modalities_asked_for_are_needed_and_weighed(brats: DataSource) -> None:
    assert brats.folder is not None
    both = Brats(
        DataSource(layout={**SOURCE, "modalities": ["flair", "t2"]}, folder=brats.folder)
    ).find_images()
    files = modality_files(brats.folder, both.found[0].file.path, ("flair", "t2"))
    assert both.found[0].file.bytes == sum(file.stat().st_size for file in files)


def test_a_tree_without_grades_is_an_error_that_shows_the_tree(tmp_path: Path) -> None:
    write_patient(tmp_path / "Brats18_CBICA_AAB_1", *MODALITIES)
    with pytest.raises(DataError, match=r"no patient with flair.* should hold HGG/ and LGG/"):
        Brats(DataSource(layout=SOURCE, folder=tmp_path)).find_images()


def test_the_contents_are_the_modalities_bytes_in_order(brats: DataSource) -> None:
    assert brats.folder is not None
    path = Brats(brats).find_images().found[0].file.path
    files = modality_files(brats.folder, path, MODALITIES)
    assert Brats(brats).bytes_of(path) == {file: file.read_bytes() for file in files}


def test_a_file_that_cannot_be_read_is_named_with_the_fix(brats: DataSource) -> None:
    assert brats.folder is not None
    layout = Brats(brats)
    path = layout.find_images().found[0].file.path
    broken = modality_files(brats.folder, path, ("t1ce",))[0]
    broken.unlink()
    broken.symlink_to("/proc/self/mem")  # a plain file whose first byte cannot be read
    with pytest.raises(DataError, match=rf"{broken.name}: cannot be read .*; replace it, or remov"):
        layout.pixels_of(path, 8)


def test_a_look_needs_the_files_bytes_only(tmp_path: Path) -> None:
    layout = Brats(write_tree(tmp_path, high=1, low=0))
    files = layout.bytes_of(layout.find_images().found[0].file.path)
    shutil.rmtree(tmp_path / "HGG")
    facts = layout.look_at(files)
    assert (facts.error, facts.width, facts.height, facts.mode) == ("", 24, 20, "int16")
    assert any(facts.frequencies)


def test_a_look_at_a_broken_file_leaves_the_fix_to_the_rule(tmp_path: Path) -> None:
    path = tmp_path / "a; b.nii.gz"
    facts = Brats(DataSource(layout=SOURCE, folder=tmp_path)).look_at({path: b""})
    assert facts.error == f"{path.name}: cannot be read as NIfTI (empty)"


def test_a_folder_that_an_archive_made_of_each_file_is_read(tmp_path: Path) -> None:
    source = write_tree(tmp_path, high=2, low=2)
    layout = open_layout(source)
    before = [layout.pixels_of(each.file.path, 8) for each in layout.find_images().found]
    for path in list(tmp_path.rglob("*.nii.gz")):
        inside = path.with_name("moved")
        path.rename(inside)
        path.mkdir()
        inside.rename(path / path.name)
    after = [layout.pixels_of(each.file.path, 8) for each in layout.find_images().found]
    assert np.array_equal(before, after)


def test_volumes_in_noise_are_told(tmp_path: Path) -> None:
    source = write_tree(tmp_path, high=14, low=14)
    noise = np.random.default_rng(0).integers(1, 30, (24, 20, 16)).astype(np.int16)
    (patient,) = tmp_path.glob("HGG/*_001_1")
    for path in patient.iterdir():
        write_nifti(path, noise)
    (told,) = [each for each in check_data(source, read_manifest(source)) if each.rule == "C07"]
    assert told.paths == (f"HGG/{patient.name}",)
    assert "1 volume of 28 is not surrounded by one value" in told.message


def test_training_and_test_trees_are_splits(brats: DataSource) -> None:
    assert brats.folder
    tree = brats.folder / "MICCAI_BraTS_2018_Data_Training"
    shutil.copytree(tree, brats.folder / "MICCAI_BraTS_2018_Data_Testing")
    assert Counter(each.split for each in Brats(brats).find_images().found) == {
        "train": 5,
        "test": 5,
    }


@pytest.mark.parametrize("place", ["HGG", "HGG/Brats18_2013_2_1"])
def test_a_folder_that_may_not_be_entered_is_refused(
    brats: DataSource, tmp_path: Path, as_ordinary_user: Callable[[], Path], place: str
) -> None:
    tree = tmp_path / "MICCAI_BraTS_2018_Data_Training"
    (tree / place).chmod(0)
    as_ordinary_user()
    with pytest.raises(DataError, match=rf"{place}: may not be read \(Permission denied\) \(C05\)"):
        Brats(replace(brats, folder=Path())).find_images()


def test_files_that_are_not_read_are_counted(brats: DataSource) -> None:
    assert brats.folder
    (brats.folder / "survival_data.csv").touch()
    layout = {**brats.layout, "modalities": ["flair", "t1", "t2"]}
    listing = Brats(replace(brats, layout=layout)).find_images()
    assert numbers(listing.left_out) == {
        "segmentations": 5,
        "other volumes": 5,
        "other files (.csv)": 1,
    }
