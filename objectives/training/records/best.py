"""The best epoch of a fold: its weights and what they say of the validation images."""

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


@dataclass(frozen=True)
class Best:
    """The epoch with the lowest val_loss: its weights as they were validated, and its logits.

    epoch: counted through all folds. fold: 1 where there are none. model: a state dict, its
    BatchNorm statistics those of the validation; empty once another fold's have taken its place.
    logits: (N, classes) float32, since float16 would change a few answers; labels: (N,), groups and
    paths: one per image, in the split's own order. table: how the columns beside the images became
    numbers, as a plain mapping; None without a table.
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
        """Give what is kept of it when the next fold begins."""
        return replace(self, model={})


def take_best(
    epoch: int, fold: int, model: nn.Module, logits: Tensor, validation: ImageSet
) -> Best:
    """Give a copy of the model as it is now, in host memory, and what it says."""
    weights = {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
    table = validation.encoding.as_mapping() if validation.encoding else None
    return replace(answers(epoch, fold, logits, validation), model=weights, table=table)


def answers(epoch: int, fold: int, logits: Tensor, validation: ImageSet) -> Best:
    """Give what an epoch says of the validation images, without the weights that said it."""
    return Best(
        epoch,
        {},
        logits.float().cpu(),
        validation.labels.cpu(),
        fold,
        validation.classes,
        validation.groups,
        validation.paths,
    )


def keep_best(attempt: Attempt, bests: Sequence[Best], ends: Sequence[Best] = ()) -> None:
    """Write `best.pt` and `best_logits.npz`, each whole or not at all.

    bests, ends: the best and the last epoch of each fold in turn. The weights are the last fold's,
    and `fold` in the file says so: a fold's val_loss is that of its own images, and to choose the
    lowest would be to choose the easiest.
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
    """Write what torch.load reads with weights_only=True."""
    # Not by its name: torch's own writer turns "no space left" into a RuntimeError without errno.
    with path.open("wb") as file:
        torch.save(state, file)


def _arrays(bests: Sequence[Best]) -> dict[str, Any]:
    """Give what each fold's best epoch said of its validation images, fold after fold.

    epoch: of each fold, or the one number where there are no folds. folds: of each image.
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
    """Give what the folds' last epochs said of the same images, where there are folds."""
    return {"last_logits": torch.cat([end.logits for end in ends]).numpy()} if ends else {}


def _save_arrays(arrays: Mapping[str, Any], path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, **arrays)
