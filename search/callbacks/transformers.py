"""A callback for Hugging Face's Trainer, which makes a script the objective of a study."""

import math
from pathlib import Path
from typing import Any

from accelerate.utils import broadcast_object_list
from transformers import TrainerCallback

from search.callbacks.checkpoints import newest_checkpoint
from search.callbacks.reports import ends_with
from search.script import trial


class ReportEpochs(TrainerCallback):
    """Have each epoch saved and report it; end the training where the trial is to end.

    resume_from: the checkpoint for `trainer.train(resume_from_checkpoint=...)`, or None.
    """

    def __init__(self) -> None:
        self.resume_from = newest_checkpoint("checkpoint-*", last="trainer_state.json")
        self._is_over = self._is_told = False  # the epoch, and not reported yet; to end

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if Path(args.output_dir).resolve() != trial.folder.resolve():
            raise ValueError(f"output_dir is {args.output_dir}; write output_dir=trial.folder")
        if args.save_strategy == "best":
            raise ValueError('save_strategy is "best", which leaves epochs out; write "epoch"')
        # Saved at the end of an epoch, and perhaps killed before it was reported.
        if state.epoch and float(state.epoch).is_integer():
            self._report(state, control)

    def on_step_end(self, args: Any, state: Any, *_: Any, **__: Any) -> None:
        if state.is_world_process_zero:
            trial.progress()

    on_substep_end = on_prediction_step = on_step_end

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        # Told to end before the first batch, the Trainer has trained that one all the same.
        self._is_over = control.should_save = not self._is_told
        control.should_evaluate &= not self._is_told

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self._is_over:
            self._is_over = False
            self._report(state, control)

    def _report(self, state: Any, control: Any) -> None:
        epoch = math.ceil(state.epoch or 0)
        logged: dict[str, Any] = {}
        for entry in state.log_history:
            if math.ceil(entry.get("epoch", 0)) == epoch:
                logged |= entry
        logged.pop("step", None)  # no metric
        numbers = {name: each for name, each in logged.items() if isinstance(each, int | float)}
        is_told = state.is_world_process_zero and ends_with({**numbers, "epoch": epoch})
        self._is_told = broadcast_object_list([is_told])[0]
        control.should_training_stop |= self._is_told
