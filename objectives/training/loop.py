"""Train one classifier of images or volumes, epoch by epoch."""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from itertools import islice

import torch
from torch import Tensor

from objectives.contract import MICRO_BATCH, RULER, TRAIN_LOSS, Attempt, EpochResult
from objectives.models.classifier import Classifier
from objectives.recipe.classifier import ClassifierRecipe
from objectives.recipe.optimization import steps_per_epoch
from objectives.sets.images import ImageSet
from objectives.sets.placed import place
from objectives.training import precision
from objectives.training.feed.feed import Feed, training_feed, validation_feed
from objectives.training.feed.order import epoch_generator, in_fold
from objectives.training.first_step import first_step
from objectives.training.learning.average import Average, averaged
from objectives.training.learning.batchnorm import Inputs, reestimated
from objectives.training.learning.losses import build_criterion
from objectives.training.learning.optimizers import set_learning_rates
from objectives.training.learning.schedule import epochs_as_now, learning_rates_at, learning_stages
from objectives.training.learning.stopping import best_epoch, has_stalled
from objectives.training.measures.intervals import Intervals
from objectives.training.measures.metrics import measure
from objectives.training.memory import halve_until_it_fits
from objectives.training.records import state
from objectives.training.records.best import keep_best, predictions, take_best
from objectives.training.records.pooled import fold_metrics
from objectives.training.records.state import History
from objectives.training.records.tables import keep_records
from objectives.training.step import build_stepper, fit_into_memory
from objectives.training.task import Task

# For so many steps after a stage begins to learn, its BatchNorm statistics lag behind its weights.
_LAGGING_STEPS = 200
_ESTIMATION_BATCHES = 10
# Images validated at once while memory holds them, and the values in that many usual images.
_VALIDATION_BATCH, _VALIDATION_VALUES = 256, 256 * 3 * 224 * 224


def train_classifier(task: Task, attempt: Attempt) -> Iterator[EpochResult]:
    """Yield each epoch's result once its checkpoint is on disk; at the end, keep the best epoch.

    With folds, the epochs of one fold follow those of the other and are numbered on. A finished
    trial leaves the best epoch's weights and logits, tables and a picture in the attempt's folder.

    Raises RecipeError, DataError or OutOfMemory.
    """
    precision.settle(attempt.threads, deterministic=task.recipe.deterministic)
    history = state.resume(attempt)
    yield from history.results
    for fold in range(history.fold, max(1, attempt.data.folds) + 1):
        history.begin(fold)
        yield from _train_fold(task, in_fold(attempt, fold), history)
    if history.best is not None:
        keep_best(attempt, history.bests, history.ends)
        keep_records(attempt, history.results, history.bests, history.ends)


def validated_at_once(shape: Sequence[int]) -> int:
    """Count the images of a shape (C, *spatial) to validate at once; fewer for volumes."""
    return min(_VALIDATION_BATCH, max(1, _VALIDATION_VALUES // math.prod(shape)))


def _train_fold(task: Task, attempt: Attempt, history: History) -> Iterator[EpochResult]:
    """Yield the remaining epochs of one fold; without folds, of the trial."""
    recipe, device = task.recipe, attempt.device
    autocast = precision.autocast(recipe.precision, device)
    images, validation = (place(each, device) for each in task.open(attempt, history.fold))
    at_first = {} if history.results else first_step(task, images, attempt)
    counts = images.labels.bincount(minlength=len(images.classes)).to(device)
    steps = steps_per_epoch(len(images), recipe.batch_size)
    model, average = _build(task, images, attempt)
    validated = average.module if average else model
    stepper = build_stepper(recipe, model, autocast)
    first = build_criterion(recipe, counts, epoch=1)
    fit_into_memory(
        stepper, task, first, shape=images.images.shape[1:], table_width=images.table_width
    )
    history.put_back(stepper, average)
    intervals = Intervals(validation.groups)

    while not _is_over(recipe, losses := history.losses):
        epoch, number, started = len(losses) + 1, len(history.results) + 1, time.perf_counter()
        criterion = build_criterion(recipe, counts, epoch)
        torch.manual_seed(epoch_generator(attempt.seed, epoch, "dropout").initial_seed())
        loss_sum = torch.zeros((), device=device)
        stages = learning_stages(recipe, epoch)
        for each in (model, validated):
            each.learn(stages)
        model.train()
        with training_feed(
            images, task, attempt, epoch=epoch, normalization=model.normalization
        ) as feed:
            for step, batch in enumerate(feed, start=(epoch - 1) * steps):
                rates = learning_rates_at(recipe, step, steps, losses)
                set_learning_rates(stepper.optimizer, rates)
                loss_sum += stepper.step(batch, criterion) * len(batch)
                if average:
                    average.update_parameters(model)
                attempt.progress()
        values = {
            TRAIN_LOSS: loss_sum.item() / len(images),  # waits for the device
            "data_wait_s": feed.wait_seconds,
            "compute_s": time.perf_counter() - started - feed.wait_seconds,
            MICRO_BATCH: float(stepper.micro_batch),
            "learning_rate": rates.highest(stages),
        }
        values |= at_first if number == 1 else {}

        again = training_feed(images, task, attempt, epoch=epoch, normalization=model.normalization)
        first_batches = _first_batches(again, stepper.micro_batch)
        is_lagging = epochs_as_now(recipe, epoch) * steps < _LAGGING_STEPS
        with autocast, reestimated(validated, first_batches) if is_lagging else nullcontext():
            logits = _predict(validated, validation, task, attempt)
            values |= measure(logits, validation.labels)
            values |= intervals.measure(logits, validation.labels, values["val_temperature"])
            losses = [*losses, values[RULER]]
            if best_epoch(losses) == epoch:
                history.best = take_best(number, history.fold, logits, validation, model=validated)
        values["val_criterion"] = criterion(logits, validation.labels.to(device)).item()
        if attempt.data.folds:
            if is_over := _is_over(recipe, losses):
                history.ends.append(predictions(number, history.fold, logits, validation))
            values |= fold_metrics(history, epoch, is_over)

        seconds = time.perf_counter() - started
        history.results.append(
            EpochResult(epoch=number, metrics=values, seconds=seconds, images=len(images))
        )
        state.save(attempt, stepper, average, history)
        yield history.results[-1]


def _build(task: Task, images: ImageSet, attempt: Attempt) -> tuple[Classifier, Average | None]:
    """Build the network from the trial's seed, and its moving average if the recipe has one."""
    torch.manual_seed(attempt.seed)
    model = task.build(len(images.classes), images.table_width).to(attempt.device)
    model.to(memory_format=task.memory_format)
    average = averaged(model, task.recipe.ema_decay) if task.recipe.ema_decay else None
    if task.recipe.compile:
        precision.compile_network(model, attempt.device)
    return model, average


@torch.no_grad()
def _predict(model: Classifier, images: ImageSet, task: Task, attempt: Attempt) -> Tensor:
    """Compute the logits (N, classes) of all images of a set, in its order."""
    model.eval()

    def run(at_once: int) -> Tensor:
        logits = []
        with validation_feed(
            images, task, attempt, normalization=model.normalization, batch=at_once
        ) as feed:
            for batch in feed:
                logits.append(model(*batch.inputs))
                attempt.progress()
        return torch.cat(logits)

    return halve_until_it_fits(validated_at_once(images.images.shape[1:]), run)[0]


def _first_batches(feed: Feed, micro_batch: int) -> Iterator[Inputs]:
    """Yield the first training images of an epoch again, in the micro-batches of its training."""
    with feed:
        for batch in islice(feed, _ESTIMATION_BATCHES):
            yield from (part.inputs for part in batch.parts(micro_batch))


def _is_over(recipe: ClassifierRecipe, losses: Sequence[float]) -> bool:
    """Return whether the schedule or early stopping ends a fold."""
    has_ended = has_stalled(losses, recipe.patience, recipe.min_epochs, recipe.settled_epoch)
    return has_ended or len(losses) >= recipe.epochs
