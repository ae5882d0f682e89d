"""The best epoch of a fold: its weights and its logits of the validation images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from objectives.contract import BEST_LOGITS, BEST_WEIGHTS, Attempt
from objectives.files.whole import write_whole
from objectives.sets.images import ImageSet


@dataclass(frozen=True, kw_only=True)
class Best:
    """The epoch with the lowest val_loss: its weights as validated, and its logits.

    epoch: counted through all folds.
    fold: 1 without folds.
    model: a state dict with the BatchNorm statistics of the validation; empty once the next fold's
        weights have taken its place.
    logits: (N, classes) float32, since float16 would change a few predictions.
    labels: (N,), in the split's own order, as are `groups` and `paths`.
    table: the encoding of the columns beside the images, as a plain mapping; None without a table.
    """

    epoch: int
    model: Mapping[str, Tensor]
    logits: Tensor
    labels: Tensor
    fold: int = 1
    classes: Sequence[str] = ()
    groups: Sequence[str] = ()
    paths: Sequence[str] = ()
    table: Mapping[str, Any] | None = None

    def without_weights(self) -> "Best":
        """Return the part that is kept when the next fold begins."""
        return replace(self, model={})


def take_best(
    epoch: int, fold: int, logits: Tensor, validation: ImageSet, *, model: nn.Module
) -> Best:
    """Copy the present weights of the model to host memory, with its logits."""
    weights = {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
    table = validation.encoding.as_mapping() if validation.encoding else None
    return replace(predictions(epoch, fold, logits, validation), model=weights, table=table)


def predictions(epoch: int, fold: int, logits: Tensor, validation: ImageSet) -> Best:
    """Return the logits of an epoch and the facts about their images, without weights."""
    return Best(
        epoch=epoch,
        model={},
        logits=logits.float().cpu(),
        labels=validation.labels.cpu(),
        fold=fold,
        classes=validation.classes,
        groups=validation.groups,
        paths=validation.paths,
    )


def keep_best(attempt: Attempt, bests: Sequence[Best], ends: Sequence[Best] = ()) -> None:
    """Write `best.pt` and `best_logits.npz`, each whole or not at all.

    The weights are those of the last fold, which the file names as `fold`. A fold's val_loss is
    that of its own images, so the lowest would belong to the easiest images.

    bests: the best epoch of each fold in turn.
    ends: the last epoch of each fold in turn.
    """
    last = bests[-1]
    names = ("epoch", "fold", "model", "classes", "table")
    weights = {name: getattr(last, name) for name in names}
    for name, save in (
        (BEST_WEIGHTS, partial(save_state, {**weights, "classes": list(last.classes)})),
        (BEST_LOGITS, partial(_save_arrays, _arrays(bests) | _last(ends))),
    ):
        write_whole(attempt.folder / name, save, attempt.progress)


def save_state(state: Mapping[str, Any], path: Path) -> None:
    """Write a file that torch.load reads with weights_only=True."""
    # Through an open file: torch's own writer hides "no space left" in an error without errno.
    with path.open("wb") as file:
        torch.save(state, file)


def _arrays(bests: Sequence[Best]) -> dict[str, Any]:
    """Join the logits of each fold's best epoch, in the order of the folds.

    `epoch` is a list, or one number without folds; `folds` has the fold of each image.
    """
    epochs = [best.epoch for best in bests]
    return {
        "epoch": epochs if len(epochs) > 1 else epochs[0],
        "logits": torch.cat([best.logits for best in bests]).numpy(),
        "labels": torch.cat([best.labels for best in bests]).numpy(),
        "folds": np.repeat([best.fold for best in bests], [len(best.labels) for best in bests]),
        "groups": np.array([group for best in bests for group in best.groups], dtype=np.str_),
        "paths": np.array([path for best in bests for path in best.paths], dtype=np.str_),
    }


def _last(ends: Sequence[Best]) -> dict[str, Any]:
    return {"last_logits": torch.cat([end.logits for end in ends]).numpy()} if ends else {}


def _save_arrays(arrays: Mapping[str, Any], path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, **arrays)
