"""A trial's state between two epochs: everything that the next epoch depends on, in one file."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from objectives.checkpoints import commit, put_in_place
from objectives.contract import Attempt, EpochResult
from objectives.training.average import Average
from objectives.training.step import Stepper


@dataclass(frozen=True)
class Best:
    """The epoch with the lowest val_loss: its weights as they were validated, and its logits.

    model: a state dict, its BatchNorm statistics those of the validation. logits: (N, classes)
    float32, since float16 would change a few answers; labels: (N,), in the split's own order.
    """

    epoch: int
    model: Mapping[str, Tensor]
    logits: Tensor
    labels: Tensor

    def keep(self, attempt: Attempt) -> None:
        """Write `best.pt` and `best_logits.npz`, each whole or not at all."""
        weights = {"epoch": self.epoch, "model": self.model}
        arrays = {"epoch": self.epoch, "logits": self.logits.numpy(), "labels": self.labels.numpy()}
        for name, save in (
            ("best.pt", partial(_save, weights)),
            ("best_logits.npz", partial(_save_arrays, arrays)),
        ):
            put_in_place(attempt.folder, name, save, attempt.progress)


def take_best(epoch: int, model: nn.Module, logits: Tensor, labels: Tensor) -> Best:
    """Give a copy of the model as it is now, in host memory."""
    weights = {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
    return Best(epoch, weights, logits.float().cpu(), labels.cpu())


def save(
    attempt: Attempt,
    stepper: Stepper,
    average: Average | None,
    results: list[EpochResult],
    best: Best | None,
) -> Path:
    """Commit the state after the last of these results; a file that loads with weights_only=True.

    Learning rate, order, augmentation and dropout follow from the epoch and the seed, early
    stopping and plateaus from the results: none of them is state.
    """
    validated = average.module if average else stepper.model
    state = {
        "model": stepper.model.state_dict(),
        "optimizer": stepper.optimizer.state_dict(),
        "part": stepper.part,
        "average": average and average.state_dict(),
        "results": [asdict(result) for result in results],
        "best": best and _compact(best, validated, results[-1].epoch),
    }
    return commit(attempt.folder, results[-1].epoch, partial(_save, state), attempt.progress)


def resume(
    attempt: Attempt, stepper: Stepper, average: Average | None
) -> tuple[list[EpochResult], Best | None]:
    """Put back what the attempt resumes from; give the results it carries and the best epoch.

    A fresh attempt has none.
    """
    if attempt.resume_from is None:
        return [], None
    state: dict[str, Any] = torch.load(attempt.resume_from, map_location="cpu", weights_only=True)
    stepper.model.load_state_dict(state["model"])
    stepper.optimizer.load_state_dict(state["optimizer"])
    stepper.part = state["part"]
    if average:
        average.load_state_dict(state["average"])
    best = None if state["best"] is None else Best(**state["best"])
    return [EpochResult(**result) for result in state["results"]], best


def _compact(best: Best, model: nn.Module, epoch: int) -> dict[str, Any]:
    """Where the best epoch is this one, name the model's own memory: the file has it once."""
    parameters = model.named_parameters() if best.epoch == epoch else ()
    live = {name: parameter.detach() for name, parameter in parameters}
    return {**vars(best), "model": {**best.model, **live}}


def _save(state: Mapping[str, Any], path: Path) -> None:
    # Not by its name: torch's own writer turns "no space left" into a RuntimeError without errno.
    with path.open("wb") as file:
        torch.save(state, file)


def _save_arrays(arrays: Mapping[str, Any], path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, **arrays)
