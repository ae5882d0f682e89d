"""A smaller set that stands for the whole one: the cheap fidelity of a search."""

import numpy as np
import numpy.typing as npt

from objectives.contract import RecipeError

Rows = npt.NDArray[np.int64]


def proportional(class_indices: Rows, count: int, seed: int) -> Rows:
    """Choose `count` rows in which every class keeps its share, by the seed alone; sorted.

    count: 0, or as many as there are, takes all. Shares are rounded as seats of a parliament are
    (Webster, Sainte-Lague), after one for each class; so a smaller choice lies within a larger one.
    """
    if not 0 < count < len(class_indices):
        return np.arange(len(class_indices))
    if count < (classes := len(np.unique(class_indices))):
        raise RecipeError(
            f"{count} images cannot stand for {classes} classes; set max_train_samples and "
            f"max_val_samples to {classes} or more, or to 0 for all images"
        )
    # RandomState's stream is frozen by numpy's promise (NEP 19): the same rows on every machine.
    order = np.random.RandomState(seed % 2**32).permutation(len(class_indices))
    claims = _claims(class_indices[order])
    return np.sort(order[np.argsort(claims, kind="stable")[:count]])


def _claims(class_indices: Rows) -> npt.NDArray[np.float64]:
    """Give each row its turn: a class's first row comes before all others, its last one late."""
    sizes = np.bincount(class_indices)
    by_class = np.argsort(class_indices, kind="stable")
    first = np.repeat(np.cumsum(sizes) - sizes, sizes)
    rank = np.empty(len(class_indices), dtype=np.int64)
    rank[by_class] = np.arange(len(class_indices)) - first
    return np.where(rank == 0, 0.0, (rank + 0.5) / sizes[class_indices])
