"""Train, val and test: whole groups only, every class in each, the same on every machine."""

import warnings
from collections.abc import Iterator, Sequence

import numpy as np

from objectives.contract import DataError

SPLITS = ("train", "val", "test")
# Of seven folds, val and test take one each and train the other five; data of few groups are
# divided into fewer folds.
FOLDS = (7, 5, 3)
DRAWS = 10  # shuffles tried per number of folds before a rare class is given up on


def carve(
    labels: Sequence[str], groups: Sequence[str], wanted: Sequence[str], seed: int
) -> list[str]:
    """Return the split of each image: a stratified group split drawn from the seed alone.

    wanted: the splits to fill; each but the first takes one fold, the first takes the rest.

    Raises DataError when the groups cannot give every split an image of every class.
    """
    classes, class_indices = np.unique(np.asarray(labels), return_inverse=True)
    for fold_of in _shuffled_folds(class_indices, np.asarray(groups), seed):
        complete = [
            fold
            for fold in range(fold_of.max() + 1)
            if len(np.unique(class_indices[fold_of == fold])) == len(classes)
        ]
        held_out = complete[: len(wanted) - 1]
        kept = class_indices[~np.isin(fold_of, held_out)]
        if len(held_out) == len(wanted) - 1 and len(np.unique(kept)) == len(classes):
            names = dict(zip(held_out, wanted[1:], strict=True))
            return [names.get(fold, wanted[0]) for fold in fold_of.tolist()]
    raise DataError(
        f"no split into {', '.join(wanted)} was found that keeps groups whole and has every class "
        "in each",
        fix="add groups of the rare classes or leave a class out",
    )


def carve_folds(labels: Sequence[str], groups: Sequence[str], folds: int, seed: int) -> list[int]:
    """Return the fold, from 1 on, of each image: stratified, whole groups, by the seed alone.

    Raises DataError when the groups cannot give every fold an image of every class.
    """
    classes, class_indices = np.unique(np.asarray(labels), return_inverse=True)
    for fold_of in _shuffled_folds(class_indices, np.asarray(groups), seed, (folds,)):
        held = [np.unique(class_indices[fold_of == fold]) for fold in range(folds)]
        if all(len(each) == len(classes) for each in held):
            return [fold + 1 for fold in fold_of.tolist()]
    raise DataError(
        f"no {folds} folds were found that keep groups whole and have every class in each",
        fix="use fewer folds, add groups of the rare classes or leave a class out",
    )


def check_classes(labels: Sequence[str], splits: Sequence[str]) -> None:
    """Raise DataError when a class is missing from one of the splits that occur."""
    for split in sorted(set(splits), key=SPLITS.index):
        present = {label for label, at in zip(labels, splits, strict=True) if at == split}
        if missing := sorted(set(labels) - present):
            raise DataError(
                f"the {split} split has no image of {_first_few(missing)}",
                fix=(
                    "give every split images of every class, and move images without a label out "
                    "of the data folder"
                ),
            )


def _shuffled_folds(
    class_indices: np.ndarray, groups: np.ndarray, seed: int, counts: Sequence[int] = FOLDS
) -> Iterator[np.ndarray]:
    """Yield the fold of each image, once per shuffle."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    group_count = len(np.unique(groups))
    # Where every image is its own group both splitters are fair, and the plain one is faster.
    kind = StratifiedKFold if group_count == len(groups) else StratifiedGroupKFold
    most = min(group_count, int(np.bincount(class_indices).max()))
    random = np.random.RandomState(seed % 2**32)
    for folds in (folds for folds in counts if folds <= most for _ in range(DRAWS)):
        splitter = kind(n_splits=folds, shuffle=True, random_state=random)
        fold_of = np.zeros(len(groups), dtype=np.int64)
        with warnings.catch_warnings():
            # Of a class with fewer images than folds: the callers check the classes of each fold.
            warnings.simplefilter("ignore", UserWarning)
            for fold, (_, members) in enumerate(splitter.split(groups, class_indices, groups)):
                fold_of[members] = fold
        yield fold_of


def _first_few(names: Sequence[str], most: int = 3) -> str:
    shown = ", ".join(repr(name) for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
