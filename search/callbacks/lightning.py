"""A callback for Lightning, which makes a training script the objective of a study."""

import sys
from typing import Any

from search.callbacks.checkpoints import LIGHTNING, newest_checkpoint, save_lightning
from search.callbacks.reports import ends_with
from search.script import trial

if "pytorch_lightning" in sys.modules:  # its older name has classes of its own
    from pytorch_lightning.callbacks import Checkpoint
else:
    from lightning.pytorch.callbacks import Checkpoint


class ReportEpochs(Checkpoint):
    """Save and report each validated epoch; end the fit where the trial is to end.

    resume_from: the checkpoint to go on from, for `trainer.fit(..., ckpt_path=...)`, or None.
    """

    def __init__(self) -> None:
        self.resume_from = newest_checkpoint(LIGHTNING)
        self.best_model_path = ""  # the newest; a ModelCheckpoint beside it is asked first
        self._reported, self._is_validated = dict[str, Any](), False

    def setup(self, trainer: Any, *_: Any, **__: Any) -> None:
        trainer.callbacks = [each for each in trainer.callbacks if each is not self] + [self]

    def state_dict(self) -> dict[str, Any]:
        return self._reported

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._reported = state_dict

    def on_train_start(self, trainer: Any, *_: Any) -> None:
        if self._reported:  # saved, and perhaps killed before it was reported
            self._report(trainer)

    def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
        if trainer.is_global_zero:
            trial.progress()

    on_validation_batch_end = on_train_batch_end

    def on_validation_end(self, trainer: Any, *_: Any) -> None:
        self._is_validated = not trainer.sanity_checking

    def on_train_epoch_end(self, trainer: Any, *_: Any) -> None:
        if self._is_validated or not trainer.enable_validation:
            self._is_validated, epoch = False, self._reported.get("epoch", 0) + 1
            logged = {name: float(each) for name, each in trainer.callback_metrics.items()}
            self._reported = {**logged, "epoch": epoch}
            self.best_model_path = save_lightning(trainer, epoch)
            self._report(trainer)

    def _report(self, trainer: Any) -> None:
        if trainer.strategy.broadcast(trainer.is_global_zero and ends_with(self._reported)):
            trainer.should_stop = True
            trainer.fit_loop.min_epochs = trainer.fit_loop.epoch_loop.min_steps = None
