"""A tiny BraTS tree, made on the fly: an ellipsoid of noise is a brain, a bright ball a tumour."""

from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt

from objectives.contract import DataSource

MODALITIES = ("flair", "t1", "t1ce", "t2")
BRATS = {"kind": "brats", "modalities": list(MODALITIES)}
MILLIMETRES = np.diag([-1.0, -1.0, 1.0, 1.0])  # BraTS stores left to right and front to back


def write_nifti(
    path: Path, volume: npt.NDArray[np.generic], affine: npt.NDArray[np.float64] = MILLIMETRES
) -> Path:
    """Write a volume, making its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(volume, affine), path)
    return path


def brain(rng: np.random.Generator, tumour: float = 0.0) -> npt.NDArray[np.int16]:
    """Give (24, 20, 16) int16: 0 around an ellipsoid of 20 x 16 x 12, noise about 500 in it."""
    places = np.indices((24, 20, 16)).T - np.array([11.5, 9.5, 7.5])
    inside = ((places / np.array([10, 8, 6])) ** 2).sum(-1).T < 1
    ball = ((places - np.array([4, 2, 1])) ** 2).sum(-1).T < 9
    values = 500 + 50 * rng.standard_normal(inside.shape) + 300 * tumour * ball
    return np.where(inside, values, 0).astype(np.int16)


def write_patient(folder: Path, grade: str, number: int, suffix: str = ".nii.gz") -> Path:
    """Write one patient of a grade: high grade enhances in t1ce, low grade does not."""
    name = f"Brats18_TCIA{number % 3:02d}_{number:03d}_1"
    rng = np.random.default_rng(number)
    for modality in MODALITIES:
        tumour = 1.0 if grade == "HGG" and modality == "t1ce" else 0.2
        write_nifti(folder / grade / name / f"{name}_{modality}{suffix}", brain(rng, tumour))
    return folder / grade / name


def write_tree(folder: Path, high: int = 12, low: int = 6) -> DataSource:
    """Write so many patients of either grade; give the source that reads them, without a test."""
    for number in range(high + low):
        write_patient(folder, "HGG" if number < high else "LGG", number)
    return DataSource(layout=BRATS, folder=folder, has_test=False)
