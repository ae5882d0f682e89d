"""The practice gliomas: BraTS 2018's tree, a folder per patient and a NIfTI file per modality.

There are 210 patients of high to 75 of low grade, as published. Each site has its own scanner. Both
grades come from every site, which does not hold for all sites of the real set.
"""

import gzip
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import PurePosixPath

import numpy as np

from objectives.contract import DataError
from objectives.practice.brain import MODALITIES, Scanner, draw_scan
from objectives.practice.canvas import Random
from objectives.practice.drawing import Drawing

ROOT = "MICCAI_BraTS_2018_Data_Training"
GRADES = {"HGG": 210, "LGG": 75}  # patients, as published
SCANNERS = {
    "CBICA": Scanner(1.0, 0.05, 0.05),
    "TCIA01": Scanner(0.6, 0.08, 0.09),
    "TCIA02": Scanner(1.6, 0.06, 0.12),
    "2013": Scanner(0.8, 0.1, 0.06),
}
# The first two axes of BraTS volumes count backwards: from the left, and from the front.
AFFINE = np.diag((-1.0, -1.0, 1.0, 1.0))


def plan_brats(patients: int, seed: int) -> list[Drawing]:
    """Plan the files of this many patients; the same seed plans the same ones.

    Raises DataError without nibabel.
    """
    _nifti_class()
    rng = np.random.default_rng([seed, 5])
    high = round(patients * GRADES["HGG"] / sum(GRADES.values()))
    numbers = rng.permutation(900) + 100 if patients <= 900 else rng.permutation(patients) + 100
    drawings = []
    for patient, number in enumerate(numbers[:patients]):
        site = str(rng.choice(list(SCANNERS)))
        label, group = "HGG" if patient < high else "LGG", f"Brats18_{site}_{number}"
        for modality in (*MODALITIES, "seg"):
            draw = partial(_volume, label, site, modality, seed=(seed, patient))
            path = _path(label, group, modality)
            drawings.append(Drawing(path=path, label=label, group=group, draw=draw))
    return drawings


def rename(drawing: Drawing, like: Drawing, number: int) -> Drawing:
    """Return the file under the name of a new patient, with another drawing's grade and site."""
    return _moved(drawing, like.label, f"{like.group.rpartition('_')[0]}_{10_000 + number}")


def tell_by_site(drawings: list[Drawing], rng: Random) -> list[Drawing]:
    """Let nearly all patients of a grade come from one site."""
    is_moved = {each.group: rng.random() < 0.9 for each in drawings}
    return [_at_own_site(each) if is_moved[each.group] else each for each in drawings]


def _at_own_site(drawing: Drawing) -> Drawing:
    site, number = "CBICA" if drawing.label == "HGG" else "TCIA01", drawing.group.split("_")[-1]
    return _moved(drawing, drawing.label, f"Brats18_{site}_{number}")


def _moved(drawing: Drawing, label: str, group: str) -> Drawing:
    modality = PurePosixPath(drawing.path).name.split(".")[0].rpartition("_")[2]
    return replace(drawing, path=_path(label, group, modality), label=label, group=group)


def _path(label: str, group: str, modality: str) -> str:
    return f"{ROOT}/{label}/{group}_1/{group}_1_{modality}.nii.gz"


def _volume(label: str, site: str, modality: str, seed: tuple[int, int]) -> bytes:
    image = _nifti_class()(_scan(label, site, seed)[modality], AFFINE)
    # A gzip file holds its time of writing; without it the same seed makes the same bytes.
    return gzip.compress(image.to_bytes(), compresslevel=1, mtime=0)


@lru_cache(maxsize=1)  # a patient's files are drawn one after the other
def _scan(label: str, site: str, seed: tuple[int, int]) -> Mapping[str, np.ndarray]:
    return draw_scan(label, SCANNERS[site], np.random.default_rng([*seed, 5]))


def _nifti_class() -> type:
    """Import the image class of nibabel; DataError where it is not installed."""
    try:
        from nibabel import Nifti1Image
    except ImportError as error:
        raise DataError(
            "volumes are written by nibabel, which is not installed",
            "install it with `pip install 'search[volumes]'`",
        ) from error
    image: type = Nifti1Image
    return image
