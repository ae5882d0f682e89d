"""Two numbers that fingerprint a trial: the loss before and after one training step.

Data, weights and noise come from the study's seed, so equal numbers in two trials mean that the
code ignored whatever differs between them.
"""

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
    """Measure the loss of one batch before (`first_loss`) and after (`first_step`) a step on it.

    The trial's own seed is not used. The step is like those at the end of the schedule, when all
    stages learn that ever do and rare classes weigh more, but it has the full learning rate. A
    separate network takes it and is dropped afterwards.
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
    with training_feed(images, task, of_study, epoch=1, normalization=model.normalization) as feed:
        batch = next(feed)
    _seed_dropout(of_study)
    before = stepper.step(batch, criterion).item()
    _seed_dropout(of_study)
    return {"first_loss": before, "first_step": _mean_loss(stepper, batch, criterion)}


def _seed_dropout(attempt: Attempt) -> None:
    torch.manual_seed(epoch_generator(attempt.seed, 1, "dropout").initial_seed())


@torch.no_grad()
def _mean_loss(stepper: Stepper, batch: Batch, criterion: Criterion) -> float:
    """Compute the batch's mean loss, in double so that a small learning rate shows."""
    total = 0.0
    for part in batch.parts(stepper.micro_batch):
        with stepper.autocast:
            logits = stepper.model(*part.inputs)
        losses = part.count_once(criterion.losses(logits, part.labels))
        total += losses.double().sum().item()
    return total / criterion.weights(batch.labels).double().sum().item()
