import sys
from collections import Counter
from pathlib import Path

import nibabel
import numpy as np
import pytest

from objectives.contract import DataError
from objectives.data.manifest.manifest import read_manifest
from objectives.practice.brats import plan_brats
from objectives.practice.make import make_practice
from tests.objectives.data.practice_layouts import practice_source

MODALITIES = ("flair", "t1", "t1ce", "t2", "seg")


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small brats practice set."""
    folder = tmp_path_factory.mktemp("brats")
    make_practice("brats", folder, images=40)
    return folder


def volumes(patient: Path) -> dict[str, np.ndarray]:
    files = {name: patient / f"{patient.name}_{name}.nii.gz" for name in MODALITIES}
    return {name: np.asarray(nibabel.load(file).dataobj) for name, file in files.items()}


def test_the_usual_set_keeps_the_published_balance_of_grades() -> None:
    grades = Counter({each.group: each.label for each in plan_brats(60, 0)}.values())
    assert grades == {"HGG": 44, "LGG": 16}


def test_patients_have_a_folder_and_their_site_in_the_id(practice: Path) -> None:
    patients = sorted(practice.glob("MICCAI_BraTS_2018_Data_Training/[HL]GG/Brats18_*_*_1"))
    assert len(patients) == 40
    rows = read_manifest(practice_source("brats", practice)).rows
    assert [row.path for row in rows] == [p.relative_to(practice).as_posix() for p in patients]
    assert {row.site for row in rows} == {"CBICA", "TCIA01", "TCIA02", "2013"}
    assert len({row.group for row in rows}) == 40


def test_volumes_are_whole_numbers_of_a_brain_on_nothing(practice: Path) -> None:
    patient = next(practice.glob("*/HGG/*"))
    image = nibabel.load(patient / f"{patient.name}_t1.nii.gz")
    assert image.shape == (48, 48, 36)
    assert image.get_data_dtype() == np.int16
    assert image.header.get_zooms() == (1, 1, 1)
    scans = volumes(patient)
    brain = scans["t1"] > 0
    assert 0.15 < brain.mean() < 0.5
    assert all(((scans[name] > 0) == brain).all() for name in MODALITIES[:4])
    assert set(np.unique(scans["seg"])) <= {0, 1, 2, 4}
    assert not scans["seg"][~brain].any()


def test_contrast_and_oedema_tell_most_of_the_grades(practice: Path) -> None:
    def facts(grade: str) -> np.ndarray:
        segs = [volumes(patient)["seg"] for patient in practice.glob(f"*/{grade}/*")]
        return np.array([((seg == 4).sum(), (seg == 2).sum()) for seg in segs])

    high, low = facts("HGG"), facts("LGG")
    assert (np.median(high, axis=0) > 2 * np.median(low, axis=0)).all()
    assert high[:, 0].min() <= low[:, 0].max()  # not all: the grades overlap


def test_without_nibabel_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nibabel", None)
    with pytest.raises(DataError, match=r"pip install 'search\[volumes\]'"):
        make_practice("brats", tmp_path / "a")
    assert not (tmp_path / "a" / "practice.json").exists()
