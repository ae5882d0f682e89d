"""Which versions change a study's numbers, and which differences count."""

from dataclasses import replace

import pytest

from spaces.data import Brats, ClassFolders
from spaces.rules.versions import deciding, differing, in_words, settled
from spaces.study import Study

IMAGES = Study(
    name="skin", objective="image_classifier", metric="val_loss", direction="minimize", space=[]
)
BEGUN = {"python": "3.12", "torch": "2.15.0"}


@pytest.mark.parametrize(
    ("package", "version", "counts"),
    [
        ("torch", "2.15.0+cu130", "2.15.0"),
        ("torch", "2.15.0+cpu", "2.15.0"),
        ("torch", "2.15.1", "2.15.1"),
        ("python", "3.12.11", "3.12"),
        ("python", "3.13.0rc1", "3.13"),
    ],
)
def test_a_local_build_and_a_release_of_python_change_no_number(
    package: str, version: str, counts: str
) -> None:
    assert settled(package, version) == counts


def test_readers_of_volumes_and_of_dicom_count_where_a_study_uses_them() -> None:
    volumes = replace(IMAGES, objective="volume_classifier", data=Brats())

    assert {"monai", "nibabel"} < {*deciding(volumes)}
    assert {"monai", "nibabel", "pydicom"}.isdisjoint(deciding(IMAGES, ["a.png"]))
    assert "pydicom" in deciding(replace(IMAGES, data=ClassFolders()), ["a.png", "b.DCM"])
    assert deciding(replace(IMAGES, objective="toy_curve")) == ("search", "python")


def test_another_version_and_a_missing_package_differ() -> None:
    here = {"python": "3.12.4", "torch": "2.14.0+cu129", "timm": "1.0.20"}

    assert differing(BEGUN, (), here) == {"torch": "2.14.0"}
    assert differing(BEGUN, (), {"python": "3.12.4"}) == {"torch": ""}
    assert differing({}, (), here) == {}
    assert in_words({"torch": ""}, BEGUN) == "torch missing, not 2.15.0"


def test_what_was_accepted_once_differs_no_more() -> None:
    accepted = [{"versions": {"torch": "2.14.0"}}]

    assert differing(BEGUN, accepted, {"python": "3.12.4", "torch": "2.14.0"}) == {}
    assert differing(BEGUN, accepted, {"python": "3.12.4", "torch": "2.15.0"}) == {}
    assert differing(BEGUN, accepted, {"python": "3.12.4", "torch": "2.13.0"}) == {
        "torch": "2.13.0"
    }
    assert "torch 2.14.0, not 2.15.0" in in_words({"torch": "2.14.0"}, BEGUN)
