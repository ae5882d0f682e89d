"""Train one classifier of images or volumes, epoch by epoch."""

import math
import time
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from objectives.contract import RULER, Attempt, EpochResult
from objectives.models.classifier import Classifier
from objectives.recipe.classifier import ClassifierRecipe
from objectives.sets.images import ImageSet
from objectives.sets.placed import place
from objectives.training import precision
from objectives.training.feed.feed import validation_feed
from objectives.training.feed.order import in_fold
from objectives.training.first_step import first_step
from objectives.training.fold import build_fold
from objectives.training.learning.stopping import best_epoch, has_stalled
from objectives.training.measures.intervals import Intervals
from objectives.training.measures.metrics import measure
from objectives.training.memory import halve_until_it_fits
from objectives.training.records import state
from objectives.training.records.best import keep_best, predictions, take_best
from objectives.training.records.pooled import fold_metrics
from objectives.training.records.state import History
from objectives.training.records.tables import keep_records
from objectives.training.task import Task

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
    recipe = task.recipe
    images, validation = (place(each, attempt.device) for each in task.open(attempt, history.fold))
    at_first = {} if history.results else first_step(task, images, attempt)
    fold = build_fold(task, attempt, images)
    history.put_back(fold.stepper, fold.average)
    intervals = Intervals(validation.groups)

    while not _is_over(recipe, losses := history.losses):
        epoch, number, started = len(losses) + 1, len(history.results) + 1, time.perf_counter()
        criterion = fold.criterion(epoch)
        values = fold.train(epoch, criterion, losses)
        values |= at_first if number == 1 else {}
        with fold.validating(epoch) as model:
            logits = _predict(model, validation, task, attempt)
            values |= measure(logits, validation.labels)
            values |= intervals.measure(logits, validation.labels, values["val_temperature"])
            losses = [*losses, values[RULER]]
            if best_epoch(losses) == epoch:
                history.best = take_best(number, history.fold, logits, validation, model=model)
        values["val_criterion"] = criterion(logits, validation.labels.to(attempt.device)).item()
        if attempt.data.folds:
            if is_over := _is_over(recipe, losses):
                history.ends.append(predictions(number, history.fold, logits, validation))
            values |= fold_metrics(history, epoch, is_over)

        seconds = time.perf_counter() - started
        history.results.append(
            EpochResult(epoch=number, metrics=values, seconds=seconds, images=len(images))
        )
        state.save(attempt, fold.stepper, fold.average, history)
        yield history.results[-1]


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


def _is_over(recipe: ClassifierRecipe, losses: Sequence[float]) -> bool:
    """Return whether the schedule or early stopping ends a fold."""
    has_ended = has_stalled(losses, recipe.patience, recipe.min_epochs, recipe.settled_epoch)
    return has_ended or len(losses) >= recipe.epochs
