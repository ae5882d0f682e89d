"""Choose a smaller set of images in the proportions of the whole, for a cheaper search."""

import numpy as np
import numpy.typing as npt

from objectives.contract import RecipeError

Rows = npt.NDArray[np.int64]


def proportional(class_indices: Rows, count: int, seed: int) -> Rows:
    """Choose `count` rows in which every class keeps its share, by the seed alone; sorted.

    Each class gets one row; the others are shared out by the method of Webster and Sainte-Lague,
    with which seats of a parliament are divided. A smaller choice therefore lies within a larger
    one.

    class_indices: (rows,) int64.
    count: 0, or as many as there are rows, takes all.

    Raises RecipeError for fewer rows than classes.
    """
    if not 0 < count < len(class_indices):
        return np.arange(len(class_indices))
    if count < (classes := len(np.unique(class_indices))):
        raise RecipeError(
            f"{count} images cannot stand for {classes} classes",
            fix=(
                f"set max_train_samples and max_val_samples to {classes} or more, or to 0 for all "
                "images"
            ),
        )
    # RandomState's stream is frozen by numpy's promise (NEP 19): the same rows on every machine.
    order = np.random.RandomState(seed % 2**32).permutation(len(class_indices))
    keys = _sort_keys(class_indices[order])
    return np.sort(order[np.argsort(keys, kind="stable")[:count]])


def _sort_keys(class_indices: Rows) -> npt.NDArray[np.float64]:
    """Return a sort key per row that interleaves the classes in proportion.

    The first row of every class comes before all others.
    """
    sizes = np.bincount(class_indices)
    by_class = np.argsort(class_indices, kind="stable")
    first = np.repeat(np.cumsum(sizes) - sizes, sizes)
    rank = np.empty(len(class_indices), dtype=np.int64)
    rank[by_class] = np.arange(len(class_indices)) - first
    return np.where(rank == 0, 0.0, (rank + 0.5) / sizes[class_indices])
