"""Which practice sets there are: how each is planned and written, and what dirt it can have."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from objectives.practice import anemia, brats, cifar10, derm, dirt, gleason
from objectives.practice.canvas import Random
from objectives.practice.drawing import Drawing, write_files

Dirt = Callable[[list[Drawing], Random], list[Drawing]]


@dataclass(frozen=True)
class PracticeSet:
    """How a study's practice set is drawn. images, fewest: its usual and its least size.

    plan: the drawings, by images and seed. dirt: flag -> what it does to them, in this order.
    write: gives the files with their paths, one after the other.
    """

    images: int
    fewest: int
    plan: Callable[[int, int], list[Drawing]]
    dirt: Mapping[str, Dirt]
    write: Callable[[Iterable[Drawing]], Iterator[tuple[str, bytes]]] = write_files


def _copies(rename: dirt.Rename) -> dict[str, Dirt]:
    return {
        "duplicates": partial(dirt.duplicates, rename=rename),
        "labels": partial(dirt.labels, rename=rename),
        "near": partial(dirt.near, rename=rename),
    }


# What opens files comes before what spoils them.
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
        *(560, 100, gleason.plan_gleason),
        _copies(gleason.rename)
        | {
            "near": partial(dirt.near, rename=gleason.rename, marks=("",)),  # names end in a label
            "leak": partial(dirt.leak, place=dirt.in_folder),
        }
        | _FILES,
    ),
    "derm": PracticeSet(
        *(600, 120, derm.plan_derm),
        _copies(derm.rename)
        | {
            "leak": partial(dirt.leak, place=derm.place),
            "missing": dirt.missing,
            "unlisted": dirt.unlisted,
            "names": derm.spell_classes,
            "numbers": derm.spoil_numbers,
        }
        | _FILES,
        derm.write_derm,
    ),
    # Five batches of 200 to train and validate on, and the test batch.
    "cifar10": PracticeSet(
        *(1200, 120, cifar10.plan_cifar10), _copies(cifar10.rename), cifar10.write_cifar10
    ),
    "anemia": PracticeSet(
        *(240, 60, anemia.plan_anemia),
        _copies(anemia.rename)
        | {"names": anemia.spell_classes, "leak": partial(dirt.leak, place=dirt.in_folder)}
        | _FILES
        | {"hidden": anemia.hide_folders},
    ),
    # Patients: 44 of high and 16 of low grade, three for each of five folds.
    "brats": PracticeSet(
        *(60, 28, brats.plan_brats),
        {
            "duplicates": partial(dirt.duplicates, rename=brats.rename, image="group"),
            "labels": partial(dirt.labels, rename=brats.rename, image="group"),
            "missing": dirt.missing,
            "site": brats.tell_by_site,
            "corrupt": dirt.corrupt,
        },
    ),
}
