"""The versions that a study's numbers depend on, and how those of a machine differ from them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from spaces.data import Brats
from spaces.study import Study

PYTHON, SEARCH = "python", "search"
ALWAYS = (SEARCH, PYTHON)
OF_TRAINING = ("torch", "torchvision", "timm", "numpy", "pillow", "scikit-learn")
OF_OBJECTIVE = {"toy_curve": (), "volume_classifier": (*OF_TRAINING, "monai")}
DICOM = (".dcm", ".dicom", ".ima")


def deciding(study: Study, paths: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the packages that change a study's numbers, installed or not.

    paths: those of its images; of DICOM files, their reader counts as well.
    """
    packages = [*ALWAYS, *OF_OBJECTIVE.get(str(study.objective), OF_TRAINING)]
    packages += ["nibabel"] if isinstance(study.data, Brats) else []
    packages += ["pydicom"] if any(path.lower().endswith(DICOM) for path in paths) else []
    return tuple(packages)


def settled(package: str, version: str) -> str:
    """Return a version without what changes no number: a local build, a release of Python's.

    2.15.0+cu130 and 2.15.0+cpu are the same source; 3.12.4 and 3.12.11 are both Python 3.12.
    """
    if package == PYTHON:
        return ".".join(version.split(".")[:2])
    return version.partition("+")[0]


def differing(
    expected: Mapping[str, str], accepted: Sequence[Mapping[str, Any]], here: Mapping[str, str]
) -> dict[str, str]:
    """Return the versions of a machine that are neither a study's nor accepted for it, by package.

    expected: those of its creation.
    accepted: the differences that were accepted, each with its `versions`.
    here: the machine's; a package that is not installed there is missing, and "" in the answer.
    """
    found = {name: settled(name, here.get(name, "")) for name in expected}
    return {
        name: version
        for name, version in found.items()
        if version not in {expected[name], *(each["versions"].get(name) for each in accepted)}
    }


def in_words(versions: Mapping[str, str], expected: Mapping[str, str]) -> str:
    """Name versions beside those of a study's creation: "torch 2.14.0, not 2.15.0"."""
    return "; ".join(
        f"{name} {version or 'missing'}, not {expected[name]}" for name, version in versions.items()
    )
