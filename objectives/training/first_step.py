"""One step from the study's seed: the same in all of its trials but for what they read."""

from dataclasses import replace

import torch

from objectives.contract import Attempt
from objectives.sets.batch import Batch
from objectives.sets.images import ImageSet
from objectives.training import precision
from objectives.training.feed.feed import training_feed
from objectives.training.feed.order import epoch_generator
from objectives.training.learning.losses import Criterion, build_criterion
from objectives.training.learning.optimizers import set_learning_rates
from objectives.training.learning.schedule import learning_stages, rates_from
from objectives.training.step import Stepper, build_stepper
from objectives.training.task import Task


def first_step(task: Task, images: ImageSet, attempt: Attempt) -> dict[str, float]:
    """Give the loss of one batch before (`first_loss`) and after (`first_step`) a step on it.

    Weights, batch, augmentation and dropout come from the study's seed, the trial's has no part in
    them: where two trials of a study read the same to the last bit, whatever they differ in was not
    read. The step is one of the schedule's end, when all learns that ever does and rare classes
    weigh more, but at the full learning rate. A network of its own takes it and is dropped.
    """
    recipe = task.recipe
    of_study = replace(attempt, seed=attempt.data.split_seed)
    counts = images.labels.bincount(minlength=len(images.classes)).to(attempt.device)
    criterion = build_criterion(recipe, counts, recipe.epochs)
    torch.manual_seed(of_study.seed)
    model = task.build(len(images.classes), images.table_width).to(attempt.device)
    model.to(memory_format=task.memory_format)
    stepper = build_stepper(recipe, model, precision.autocast(recipe.precision, attempt.device))
    set_learning_rates(stepper.optimizer, rates_from(recipe, recipe.learning_rate))
    model.learn(learning_stages(recipe, recipe.epochs))
    model.train()
    with training_feed(images, task, of_study, 1, model.normalization) as feed:
        batch = next(feed)
    _drop_as_ever(of_study)
    before = stepper.step(batch, criterion).item()
    _drop_as_ever(of_study)
    return {"first_loss": before, "first_step": _mean_loss(stepper, batch, criterion)}


def _drop_as_ever(attempt: Attempt) -> None:
    torch.manual_seed(epoch_generator(attempt.seed, 1, "dropout").initial_seed())


@torch.no_grad()
def _mean_loss(stepper: Stepper, batch: Batch, criterion: Criterion) -> float:
    """Give the batch's mean loss; summed in double, that a small learning rate shows in it."""
    total = 0.0
    for part in batch.parts(stepper.micro_batch):
        with stepper.autocast:
            logits = stepper.model(*part.inputs)
        total += criterion.losses(logits, part.labels).double().sum().item()
    return total / criterion.weights(batch.labels).double().sum().item()
