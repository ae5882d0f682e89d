"""A trial's state between two epochs: everything that the next epoch depends on, in one file."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from objectives.contract import FOLD, RULER, Attempt, EpochResult
from objectives.files.checkpoints import commit
from objectives.training.learning.average import Average
from objectives.training.records.best import Best, save_state
from objectives.training.step import Stepper


@dataclass(kw_only=True)
class History:
    """The epochs of a trial so far, through all its folds.

    results: of every epoch.
    fold: the fold being trained, always 1 without folds.
    best: the best epoch of this fold so far.
    earlier: the best epochs of the folds before, without weights.
    ends: the last epoch of each finished fold, without weights; empty without folds.
    """

    results: list[EpochResult] = field(default_factory=list)
    fold: int = 1
    best: Best | None = None
    earlier: list[Best] = field(default_factory=list)
    ends: list[Best] = field(default_factory=list)
    _networks: Mapping[str, Any] | None = None  # states read from a checkpoint, until `put_back`

    @property
    def bests(self) -> list[Best]:
        """The best epoch of each fold that has one."""
        return [*self.earlier, *([self.best] if self.best else [])]

    @property
    def losses(self) -> list[float]:
        """The val_loss of this fold's epochs."""
        of_fold = (each for each in self.results if each.metrics.get(FOLD, 1) == self.fold)
        return [each.metrics[RULER] for each in of_fold]

    def begin(self, fold: int) -> None:
        """Begin a fold; of the fold before, everything but the weights is kept."""
        if fold != self.fold:
            self.earlier = [best.without_weights() for best in self.bests]
            self.fold, self.best = fold, None

    def put_back(self, stepper: Stepper, average: Average | None) -> None:
        """Load the state from the checkpoint into the fold's networks, if there is one."""
        state, self._networks = self._networks, None
        if state is not None:
            stepper.model.load_state_dict(state["model"])
            stepper.optimizer.load_state_dict(state["optimizer"])
            stepper.micro_batch = state["micro_batch"]
            if average:
                average.load_state_dict(state["average"])


def save(attempt: Attempt, stepper: Stepper, average: Average | None, history: History) -> Path:
    """Write a checkpoint after the newest result; torch.load reads it with weights_only=True.

    It holds no learning rate, order, augmentation or dropout, which follow from the epoch and the
    seed, and no early stopping or plateaus, which follow from the results.
    """
    validated = average.module if average else stepper.model
    epoch, best = history.results[-1].epoch, history.best
    state = {
        "model": stepper.model.state_dict(),
        "optimizer": stepper.optimizer.state_dict(),
        "micro_batch": stepper.micro_batch,
        "average": average and average.state_dict(),
        "results": [asdict(result) for result in history.results],
        "fold": history.fold,
        "best": best and _compact(best, validated, epoch),
        "earlier": [vars(each) for each in history.earlier],
        "ends": [vars(each) for each in history.ends],
    }
    return commit(attempt.folder, epoch, partial(save_state, state), attempt.progress)


def resume(attempt: Attempt) -> History:
    """Read the history from the attempt's checkpoint; without one, return an empty history."""
    if attempt.resume_from is None:
        return History()
    state: dict[str, Any] = torch.load(attempt.resume_from, map_location="cpu", weights_only=True)
    return History(
        results=[EpochResult(**result) for result in state.pop("results")],
        fold=state.pop("fold"),
        best=None if state["best"] is None else Best(**state.pop("best")),
        earlier=[Best(**each) for each in state.pop("earlier")],
        ends=[Best(**each) for each in state.pop("ends")],
        _networks=state,
    )


def _compact(best: Best, model: nn.Module, epoch: int) -> dict[str, Any]:
    """If the best epoch is this one, refer to the model's own tensors, which torch saves once."""
    parameters = model.named_parameters() if best.epoch == epoch else ()
    live = {name: parameter.detach() for name, parameter in parameters}
    return {**vars(best), "model": {**best.model, **live}}
