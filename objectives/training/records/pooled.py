"""What the folds of a trial say together: of every image, by a network that never saw its group."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from objectives.contract import FOLD, FOLD_EPOCH, FOLDS_DONE
from objectives.training.measures.metrics import aucs
from objectives.training.measures.ruler import fit_temperature
from objectives.training.records.best import Best
from objectives.training.records.state import History

POOLED = ("pooled_auc", "pooled_auc_low", "pooled_auc_high")
_DRAWS = 1000
_SEED = 0  # of the draws, the same for all trials: they differ in their networks alone
_OUTSIDE = (2.5, 97.5)  # percent: what is left between them is the interval

Scores = npt.NDArray[np.float64]


def fold_metrics(history: History, epoch: int, is_over: bool) -> dict[str, float]:
    """Give where a new epoch stands among the folds, and the pooled AUC of those that are over.

    epoch: within its fold. is_over: whether it is the fold's last one.
    """
    done = history.fold if is_over else history.fold - 1
    place = {FOLD: float(history.fold), FOLD_EPOCH: float(epoch), FOLDS_DONE: float(done)}
    before = history.results[-1].metrics if history.results else {}
    known = {name: before[name] for name in POOLED if name in before}
    return {**place, **(pooled_auc(history.ends) if is_over else known)}


def out_of_fold(ends: Sequence[Best]) -> tuple[Tensor, Tensor]:
    """Give the logits (N, classes), float64, and labels (N,) of all folds' validation images.

    Each fold's logits are divided by its own temperature: networks that were trained apart are
    sure of themselves in different measures, and only calibrated ones can be ranked together.
    """
    logits = [end.logits.double() / _temperature(end) for end in ends]
    return torch.cat(logits), torch.cat([end.labels for end in ends])


def pooled_auc(ends: Sequence[Best]) -> dict[str, float]:
    """Give the AUC of all folds' validation images ranked together, and its 95 % interval.

    ends: each fold's last epoch. Its best one was chosen on these very images: with 5 folds of 57
    patients that read .82 to .85 where the last epochs read .77 (simulated). NaN where a logit is.
    Of more than two classes the mean of each against the rest. The interval is the percentile
    bootstrap (Efron and Tibshirani 1993, section 13.3) of whole groups, since images of one group
    are no independent ones (Field and Welsh 2007, doi:10.1111/j.1467-9868.2007.00593.x).
    """
    if not all(end.logits.isfinite().all() for end in ends):
        return dict.fromkeys(POOLED, math.nan)
    logits, labels = out_of_fold(ends)
    groups = [group for end in ends for group in end.groups]
    draws = _drawn_aucs(logits.softmax(dim=1).numpy(), labels.numpy(), groups)
    values = (aucs(logits, labels).nanmean().item(), *np.nanpercentile(draws, _OUTSIDE).tolist())
    return dict(zip(POOLED, values, strict=True))


def _drawn_aucs(
    probabilities: Scores, labels: npt.NDArray[np.int64], groups: Sequence[str]
) -> Scores:
    """Give the AUC of each draw of as many groups as there are, with replacement."""
    names, group_of = np.unique(np.asarray(groups), return_inverse=True)
    # RandomState's stream is frozen by numpy's promise (NEP 19): the same draws on every machine.
    random = np.random.RandomState(_SEED)
    ranked = [
        _Ranked(probabilities[:, each], labels == each)
        for each in range(probabilities.shape[1])
        if 0 < np.count_nonzero(labels == each) < len(labels)
    ]
    drawn = np.full(_DRAWS, math.nan)
    for draw in range(_DRAWS):
        times = np.bincount(random.randint(len(names), size=len(names)), minlength=len(names))
        values = [each.auc(times[group_of]) for each in ranked]
        known = [value for value in values if not math.isnan(value)]
        drawn[draw] = sum(known) / len(known) if known else math.nan
    return drawn


class _Ranked:
    """Images by their score for one class, sorted once: each draw only weighs them anew."""

    def __init__(self, scores: Scores, is_class: npt.NDArray[np.bool_]) -> None:
        self._order = np.argsort(scores, kind="stable")
        self._is_class = is_class[self._order]
        _, self._ties = np.unique(scores[self._order], return_index=True)

    def auc(self, times: npt.NDArray[np.int64]) -> float:
        """Give the AUC with each image so many times; NaN where the class or its rest is missing.

        It is the share of pairs in the right order, half of the tied ones included (Hanley and
        McNeil 1982, doi:10.1148/radiology.143.1.7063747).
        """
        weights = times[self._order]
        own = np.add.reduceat(np.where(self._is_class, weights, 0), self._ties)
        rest = np.add.reduceat(np.where(self._is_class, 0, weights), self._ties)
        pairs = float(own.sum()) * float(rest.sum())
        below = np.cumsum(rest) - rest
        return float((own * (below + rest / 2)).sum()) / pairs if pairs else math.nan


def _temperature(end: Best) -> float:
    return fit_temperature(end.logits.double(), end.labels)
