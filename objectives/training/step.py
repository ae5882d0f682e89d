"""One optimizer step of a whole batch, computed in micro-batches as large as memory holds."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from objectives.models.batchnorm import smallest_part
from objectives.models.classifier import Classifier
from objectives.recipe.classifier import ClassifierRecipe
from objectives.sets.batch import Batch
from objectives.training.learning.losses import Criterion
from objectives.training.learning.optimizers import build_optimizer
from objectives.training.learning.schedule import learning_stages
from objectives.training.memory import halve_until_it_fits
from objectives.training.task import Task


@dataclass(kw_only=True)
class Stepper:
    """A model, its optimizer and the number of images that fit into memory at once.

    The loss and its gradients are means over the whole batch, class weights included, whatever the
    micro-batch. BatchNorm computes its statistics per micro-batch.

    clip_norm: the longest gradient of a step; 0 is no limit.
    micro_batch: images per forward pass; halved for good when memory runs out.
    smallest_part: the number below which it is never halved.
    """

    model: Classifier
    optimizer: torch.optim.Optimizer
    autocast: AbstractContextManager[None]
    clip_norm: float
    micro_batch: int
    smallest_part: int

    def __post_init__(self) -> None:
        self._untrained = _UntrainedState(self.model)

    def step(self, batch: Batch, criterion: Criterion) -> Tensor:
        """Take one step and return the batch's mean loss (); redo it where memory ran out.

        Raises OutOfMemory when not even the smallest part fits.
        """
        loss = self._gradients(batch, criterion)
        if self.clip_norm:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.clip_norm)
        self.optimizer.step()
        return loss

    def probe(self, batch: Batch, criterion: Criterion) -> None:
        """Find the micro-batch that fits beside the optimizer's state; change nothing else."""
        optimizer_state = [
            torch.empty_like(each) for each in self.model.parameters() for _ in range(2)
        ]
        self._gradients(batch, criterion)
        self.optimizer.zero_grad(set_to_none=True)
        self._untrained.restore()
        del optimizer_state

    def _gradients(self, batch: Batch, criterion: Criterion) -> Tensor:
        self._untrained.keep()

        def compute(micro_batch: int) -> Tensor:
            if micro_batch < self.micro_batch:  # so that a second try starts from the same state
                self._untrained.restore()
            return self._pass(batch, criterion, micro_batch)

        loss, self.micro_batch = halve_until_it_fits(self.micro_batch, compute, self.smallest_part)
        return loss

    def _pass(self, batch: Batch, criterion: Criterion, micro_batch: int) -> Tensor:
        self.optimizer.zero_grad(set_to_none=True)
        whole = criterion.weights(batch.labels).sum()
        loss = torch.zeros((), device=batch.labels.device)
        for part in batch.parts(micro_batch):
            with self.autocast:
                logits = self.model(*part.inputs)
            share = part.count_once(criterion.losses(logits, part.labels)).sum() / whole
            share.backward()  # type: ignore[no-untyped-call]
            loss += share.detach()
        return loss


def build_stepper(
    recipe: ClassifierRecipe, model: Classifier, autocast: AbstractContextManager[None]
) -> Stepper:
    """Build the stepper of a recipe; without a `micro_batch` it starts with the whole batch.

    Raises RecipeError for parts of one image where BatchNorm learns.
    """
    return Stepper(
        model=model,
        optimizer=build_optimizer(recipe, model),
        autocast=autocast,
        clip_norm=recipe.clip_norm,
        micro_batch=min(recipe.micro_batch or recipe.batch_size, recipe.batch_size),
        smallest_part=smallest_part(recipe, model.backbone),
    )


def fit_into_memory(
    stepper: Stepper,
    task: Task,
    criterion: Criterion,
    *,
    shape: Sequence[int],
    table_width: int = 0,
) -> None:
    """Find the micro-batch that fits when all stages learn, the schedule's most expensive phase.

    It is measured on a GPU only, where an allocation that does not fit fails. A host grants more
    memory than it has, so a try there would not fail.

    shape: (C, *spatial) of one image.
    table_width: columns beside each image, 0 without a table.
    """
    device = next(stepper.model.parameters()).device
    if device.type == "cuda":
        stepper.model.learn(learning_stages(task.recipe, task.recipe.epochs))
        stepper.model.train()
        stepper.probe(blank_batch(task, shape, device, table_width), criterion)


def blank_batch(
    task: Task, shape: Sequence[int], device: torch.device | str, table_width: int = 0
) -> Batch:
    """Build a whole batch of zeros, laid out on the device as a real one.

    shape: (C, *spatial) of one image.
    table_width: columns beside each image, 0 without a table.
    """
    count = task.recipe.batch_size
    pixels = torch.zeros(count, *shape, device=device).to(memory_format=task.memory_format)
    labels = torch.zeros(count, dtype=torch.long, device=device)
    table = torch.zeros(count, table_width, device=device) if table_width else None
    return Batch(pixels, labels, table)


class _UntrainedState:
    """The state that a forward pass changes besides gradients: random streams and buffers.

    The buffers are BatchNorm's running statistics.
    """

    def __init__(self, model: nn.Module) -> None:
        by_dtype = defaultdict(list)
        for buffer in model.buffers():
            by_dtype[buffer.dtype].append(buffer)
        # One copy per dtype: on a GPU, 159 small copies a step would cost the whole time target.
        self._groups = [
            (buffers, [torch.empty_like(each) for each in buffers]) for buffers in by_dtype.values()
        ]
        self._is_cuda = next(model.parameters()).is_cuda

    def keep(self) -> None:
        """Copy the present state."""
        for buffers, kept in self._groups:
            torch._foreach_copy_(kept, buffers)
        self._cpu = torch.get_rng_state()
        self._cuda = torch.cuda.get_rng_state() if self._is_cuda else None

    def restore(self) -> None:
        """Put back the state of the last `keep`."""
        for buffers, kept in self._groups:
            torch._foreach_copy_(buffers, kept)
        torch.set_rng_state(self._cpu)
        if self._cuda is not None:
            torch.cuda.set_rng_state(self._cuda)
