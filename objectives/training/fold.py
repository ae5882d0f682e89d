"""The networks of one fold, and the training of an epoch."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor

from objectives.contract import MICRO_BATCH, TRAIN_LOSS, Attempt
from objectives.models.classifier import Classifier
from objectives.recipe.optimization import steps_per_epoch
from objectives.sets.images import ImageSet
from objectives.training import precision
from objectives.training.feed.feed import Feed, training_feed
from objectives.training.feed.order import epoch_generator
from objectives.training.learning.average import Average, averaged
from objectives.training.learning.batchnorm import Inputs, reestimated
from objectives.training.learning.losses import Criterion, build_criterion
from objectives.training.learning.optimizers import set_learning_rates
from objectives.training.learning.schedule import epochs_as_now, learning_rates_at, learning_stages
from objectives.training.step import Stepper, build_stepper, fit_into_memory
from objectives.training.task import Task

# For so many steps after a stage begins to learn, its BatchNorm statistics lag behind its weights.
_LAGGING_STEPS = 200
_ESTIMATION_BATCHES = 10


@dataclass(frozen=True, kw_only=True)
class Fold:
    """The networks of one fold: the one that is trained, and the one that is validated.

    images: the training images.
    counts: the number of them in each class, (classes,).
    average: the moving average that is validated; None where the trained network is.
    """

    task: Task
    attempt: Attempt
    images: ImageSet
    counts: Tensor
    stepper: Stepper
    average: Average | None

    def criterion(self, epoch: int) -> Criterion:
        """Build the loss that an epoch trains with; epochs count from 1."""
        return build_criterion(self.task.recipe, self.counts, epoch)

    def train(self, epoch: int, criterion: Criterion, losses: Sequence[float]) -> dict[str, float]:
        """Train an epoch and return its loss, seconds, micro-batch and learning rate by name.

        losses: the val_loss of the epochs before.
        """
        started, steps, seed = time.perf_counter(), self._steps, self.attempt.seed
        torch.manual_seed(epoch_generator(seed, epoch, "dropout").initial_seed())
        loss_sum = torch.zeros((), device=self.attempt.device)
        stages = learning_stages(self.task.recipe, epoch)
        for each in (self.stepper.model, self._validated):
            each.learn(stages)
        self.stepper.model.train()
        with self._feed(epoch) as feed:
            for step, batch in enumerate(feed, start=(epoch - 1) * steps):
                rates = learning_rates_at(self.task.recipe, step, steps, losses)
                set_learning_rates(self.stepper.optimizer, rates)
                loss_sum += self.stepper.step(batch, criterion) * len(batch)
                if self.average:
                    self.average.update_parameters(self.stepper.model)
                self.attempt.progress()
        return {
            TRAIN_LOSS: loss_sum.item() / len(self.images),  # waits for the device
            "data_wait_s": feed.wait_seconds,
            "compute_s": time.perf_counter() - started - feed.wait_seconds,
            MICRO_BATCH: float(self.stepper.micro_batch),
            "learning_rate": rates.highest(stages),
        }

    @contextmanager
    def validating(self, epoch: int) -> Iterator[Classifier]:
        """Yield the network to validate, in the recipe's precision.

        While BatchNorm's statistics lag, it has those of an epoch's first training images.
        """
        recipe = self.task.recipe
        autocast = precision.autocast(recipe.precision, self.attempt.device)
        is_lagging = epochs_as_now(recipe, epoch) * self._steps < _LAGGING_STEPS
        first_batches = _first_batches(self._feed(epoch), self.stepper.micro_batch)
        with autocast, reestimated(self._validated, first_batches) if is_lagging else nullcontext():
            yield self._validated

    @property
    def _validated(self) -> Classifier:
        return self.average.module if self.average else self.stepper.model

    @property
    def _steps(self) -> int:
        return steps_per_epoch(len(self.images), self.task.recipe.batch_size)

    def _feed(self, epoch: int) -> Feed:
        normalization = self.stepper.model.normalization
        return training_feed(
            self.images, self.task, self.attempt, epoch=epoch, normalization=normalization
        )


def build_fold(task: Task, attempt: Attempt, images: ImageSet) -> Fold:
    """Build a fold's networks from the trial's seed, with a micro-batch that fits into memory.

    Raises OutOfMemory where none does.
    """
    counts = images.labels.bincount(minlength=len(images.classes)).to(attempt.device)
    model, average = _networks(task, attempt, images)
    autocast = precision.autocast(task.recipe.precision, attempt.device)
    stepper = build_stepper(task.recipe, model, autocast)
    fold = Fold(
        task=task, attempt=attempt, images=images, counts=counts, stepper=stepper, average=average
    )
    shape, width = images.images.shape[1:], images.table_width
    fit_into_memory(stepper, task, fold.criterion(1), shape=shape, table_width=width)
    return fold


def _networks(task: Task, attempt: Attempt, images: ImageSet) -> tuple[Classifier, Average | None]:
    torch.manual_seed(attempt.seed)
    model = task.build(len(images.classes), images.table_width).to(attempt.device)
    model.to(memory_format=task.memory_format)
    average = averaged(model, task.recipe.ema_decay) if task.recipe.ema_decay else None
    if task.recipe.compile:
        precision.compile_network(model, attempt.device)
    return model, average


def _first_batches(feed: Feed, micro_batch: int) -> Iterator[Inputs]:
    """Yield the first training images of an epoch again, in the micro-batches of its training."""
    with feed:
        for batch in islice(feed, _ESTIMATION_BATCHES):
            yield from (part.inputs for part in batch.parts(micro_batch))
