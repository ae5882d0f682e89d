"""C11: labels that can be predicted without looking at the image."""

import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt

from objectives.data.checks.evidence import Evidence
from objectives.data.manifest.manifest import Row
from objectives.data.pixels.facts import Facts
from objectives.data.problems import Problem

HIGHEST_AUC = 0.7
FOLDS = 5

Columns = npt.NDArray[np.float64]  # (images, columns)


def check_giveaways(evidence: Evidence) -> Iterator[Problem]:
    """C11: site, size, mode or extension predict the label of groups held out of the fit."""
    rows = evidence.readable
    traits = _traits(rows, evidence.facts)
    if not traits or _count_folds(rows) < 2:
        return
    auc = _auc(np.column_stack([*traits.values()]), rows)
    if auc > HIGHEST_AUC:
        alone = {name: _auc(column[:, None], rows) for name, column in traits.items()}
        ranked = sorted(alone, key=lambda name: -alone[name])
        names = ", ".join(f"{name} ({alone[name]:.2f} alone)" for name in ranked)
        yield Problem(
            rule="C11",
            level="warn",
            message=(
                "the label can be told without the pixels, by a cross-validated AUC of "
                f"{auc:.2f} from {names}: a network will use that, too; bring all images to one "
                "form, or balance the classes over their source"
            ),
        )


def _traits(rows: Sequence[Row], facts: Mapping[str, Facts]) -> dict[str, npt.NDArray[np.float64]]:
    """Return the traits of each image beside its pixels, as numbers; constant ones are left out.

    The size of the file is not among them. It depends on the image's content: images with more
    detail compress less, which alone tells the practice patches apart with an AUC of .76.
    """
    columns: dict[str, Sequence[str | int]] = {
        "site": [row.site for row in rows],
        "width": [facts[row.path].width for row in rows],
        "height": [facts[row.path].height for row in rows],
        "mode": [facts[row.path].mode for row in rows],
        "extension": [PurePosixPath(row.path).suffix.lower() for row in rows],
    }
    numbers = {name: np.unique(each, return_inverse=True) for name, each in columns.items()}
    return {
        name: ranks.astype(np.float64) for name, (kinds, ranks) in numbers.items() if len(kinds) > 1
    }


def _count_folds(rows: Sequence[Row]) -> int:
    """Return how many folds the images allow, with whole groups and classes in proportion."""
    largest = max(Counter(row.label for row in rows).values())
    return min(FOLDS, len({row.group for row in rows}), largest)


def _auc(columns: Columns, rows: Sequence[Row]) -> float:
    """Compute the mean of the classes' one-against-rest AUCs of a small tree, groups kept whole."""
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
    from sklearn.tree import DecisionTreeClassifier

    labels = np.array([row.class_index for row in rows])
    groups = [row.group for row in rows]
    # Where every image is its own group, the grouped splitter takes minutes for the same folds.
    kind = StratifiedKFold if len(set(groups)) == len(groups) else StratifiedGroupKFold
    folds = kind(_count_folds(rows), shuffle=True, random_state=0)
    tree = DecisionTreeClassifier(
        max_depth=6, min_samples_leaf=5, class_weight="balanced", random_state=0
    )
    with warnings.catch_warnings():
        # Of a class with fewer images than folds, and of one that a fold's training part lacks.
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        likely = cross_val_predict(
            tree, columns, labels, groups=groups, cv=folds, method="predict_proba"
        )
    of_class = [
        roc_auc_score(labels == label, likely[:, column])
        for column, label in enumerate(np.unique(labels))
    ]
    return float(np.mean(of_class))
