"""The practice sets: how each is planned and written, and the dirt that it can have."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from objectives.practice import anemia, brats, cifar10, derm, dirt, gleason
from objectives.practice.canvas import Random
from objectives.practice.drawing import Drawing, write_files

Dirt = Callable[[list[Drawing], Random], list[Drawing]]


@dataclass(frozen=True, kw_only=True)
class PracticeSet:
    """The practice set of one study."""

    images: int  # of the usual set
    fewest: int  # images that still can be split by patient
    plan: Callable[[int, int], list[Drawing]]  # by number of images and seed
    dirt: Mapping[str, Dirt]  # by flag, in the order in which they are laid on
    # Yields each file's path and contents, one after the other.
    write: Callable[[Iterable[Drawing]], Iterator[tuple[str, bytes]]] = write_files


def _copies(rename: dirt.Rename) -> dict[str, Dirt]:
    return {
        "duplicates": partial(dirt.duplicates, rename=rename),
        "labels": partial(dirt.labels, rename=rename),
        "near": partial(dirt.near, rename=rename),
    }


# Dirt that opens files comes before dirt that spoils them.
_FILES: dict[str, Dirt] = {
    "site": dirt.sizes,
    "modes": dirt.modes,
    "16bit": dirt.deep,
    "huge": dirt.huge,
    "corrupt": dirt.corrupt,
}

PRACTICE: Mapping[str, PracticeSet] = {
    # 560 patches leave 400 to train on after the split: minutes for eight trials on two cores.
    "gleason": PracticeSet(
        images=560,
        fewest=120,
        plan=gleason.plan_gleason,
        dirt={
            **_copies(gleason.rename),
            # A file name ends in its label, so a copy can have no mark there.
            "near": partial(dirt.near, rename=gleason.rename, marks=("",)),
            "leak": partial(dirt.leak, place=dirt.in_folder),
            **_FILES,
        },
    ),
    "derm": PracticeSet(
        images=600,
        fewest=120,
        plan=derm.plan_derm,
        dirt={
            **_copies(derm.rename),
            "leak": partial(dirt.leak, place=derm.in_split),
            "missing": dirt.missing,
            "unlisted": dirt.unlisted,
            "names": derm.spell_classes,
            "numbers": derm.spoil_numbers,
            **_FILES,
        },
        write=derm.write_derm,
    ),
    # Five batches of 200 to train and validate on, and the test batch.
    "cifar10": PracticeSet(
        images=1200,
        fewest=120,
        plan=cifar10.plan_cifar10,
        dirt=_copies(cifar10.rename),
        write=cifar10.write_cifar10,
    ),
    "anemia": PracticeSet(
        images=240,
        fewest=60,
        plan=anemia.plan_anemia,
        dirt={
            **_copies(anemia.rename),
            "names": anemia.spell_classes,
            "leak": partial(dirt.leak, place=dirt.in_folder),
            **_FILES,
            "hidden": anemia.hide_folders,
        },
    ),
    # Patients: 44 of high and 16 of low grade, three for each of five folds.
    "brats": PracticeSet(
        images=60,
        fewest=28,
        plan=brats.plan_brats,
        dirt={
            "duplicates": partial(dirt.duplicates, rename=brats.rename, image="group"),
            "labels": partial(dirt.labels, rename=brats.rename, image="group"),
            "missing": dirt.missing,
            "site": brats.tell_by_site,
            "corrupt": dirt.corrupt,
        },
    ),
}
