"""One optimizer step of one effective batch, passed in parts as large as memory holds."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from objectives.models.classifier import Classifier
from objectives.recipe.classifier import ClassifierRecipe
from objectives.sets.batch import Batch
from objectives.training.learning.losses import Criterion
from objectives.training.learning.optimizers import build_optimizer
from objectives.training.learning.schedule import learning_stages
from objectives.training.memory import in_parts
from objectives.training.task import Task


@dataclass
class Stepper:
    """Trains a model step by step; `part` is how many images are passed at once.

    The loss and its gradients are means over the whole batch, weights included, whatever the
    parts; BatchNorm sees the parts.
    """

    model: Classifier
    optimizer: torch.optim.Optimizer
    autocast: AbstractContextManager[None]
    clip_norm: float
    part: int

    def __post_init__(self) -> None:
        self._volatile = _Volatile(self.model)

    def step(self, batch: Batch, criterion: Criterion) -> Tensor:
        """Take one step and give the batch's mean loss (); a step that ran out of memory is redone.

        Raises OutOfMemory when not even one image fits.
        """
        loss = self._gradients(batch, criterion)
        if self.clip_norm:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.clip_norm)
        self.optimizer.step()
        return loss

    def probe(self, batch: Batch, criterion: Criterion) -> None:
        """Find the part that fits beside what the optimizer will keep, and change nothing else."""
        kept = [torch.empty_like(each) for each in self.model.parameters() for _ in range(2)]
        self._gradients(batch, criterion)
        self.optimizer.zero_grad(set_to_none=True)
        self._volatile.restore()
        del kept

    def _gradients(self, batch: Batch, criterion: Criterion) -> Tensor:
        self._volatile.keep()

        def run(part: int) -> Tensor:
            if part < self.part:  # again, from where the batch began
                self._volatile.restore()
            return self._pass(batch, criterion, part)

        loss, self.part = in_parts(self.part, run)
        return loss

    def _pass(self, batch: Batch, criterion: Criterion, part: int) -> Tensor:
        self.optimizer.zero_grad(set_to_none=True)
        whole = criterion.weights(batch.labels).sum()
        loss = torch.zeros((), device=batch.labels.device)
        for some in batch.parts(part):
            with self.autocast:
                logits = self.model(*some.inputs)
            share = criterion.losses(logits, some.labels).sum() / whole
            share.backward()  # type: ignore[no-untyped-call]
            loss += share.detach()
        return loss


def build_stepper(
    recipe: ClassifierRecipe, model: Classifier, autocast: AbstractContextManager[None]
) -> Stepper:
    """Give what trains a model by a recipe, a whole batch at once until memory says otherwise."""
    part = min(recipe.micro_batch or recipe.batch_size, recipe.batch_size)
    return Stepper(model, build_optimizer(recipe, model), autocast, recipe.clip_norm, part)


def fit_into_memory(
    stepper: Stepper,
    task: Task,
    criterion: Criterion,
    shape: Sequence[int],
    table_width: int = 0,
) -> None:
    """Find, before the first epoch, the part that fits at the schedule's dearest: all stages learn.

    shape: (C, *spatial) of one image. A GPU refuses what does not fit. A host promises more memory
    than it has, so there is nothing to be learned from asking.
    """
    device = next(stepper.model.parameters()).device
    if device.type == "cuda":
        stepper.model.learn(learning_stages(task.recipe, task.recipe.epochs))
        stepper.model.train()
        stepper.probe(blank_batch(task, shape, device, table_width), criterion)


def blank_batch(
    task: Task, shape: Sequence[int], device: torch.device | str, table_width: int = 0
) -> Batch:
    """Give a whole batch of nothing, as it would lie on the device. shape: (C, *spatial)."""
    count = task.recipe.batch_size
    pixels = torch.zeros(count, *shape, device=device).to(memory_format=task.memory_format)
    labels = torch.zeros(count, dtype=torch.long, device=device)
    table = torch.zeros(count, table_width, device=device) if table_width else None
    return Batch(pixels, labels, table)


class _Volatile:
    """What a pass changes although it is not trained: random streams and BatchNorm statistics."""

    def __init__(self, model: nn.Module) -> None:
        by_kind = defaultdict(list)
        for each in model.buffers():
            by_kind[each.dtype].append(each)
        # Groups of one kind: 159 small copies a step would cost a GPU as much as its time target.
        self._groups = [
            (each, [torch.empty_like(one) for one in each]) for each in by_kind.values()
        ]
        self._is_cuda = next(model.parameters()).is_cuda

    def keep(self) -> None:
        """Note how it is now."""
        for buffers, kept in self._groups:
            torch._foreach_copy_(kept, buffers)
        self._cpu = torch.get_rng_state()
        self._cuda = torch.cuda.get_rng_state() if self._is_cuda else None

    def restore(self) -> None:
        """Make it what it was at the last `keep`."""
        for buffers, kept in self._groups:
            torch._foreach_copy_(buffers, kept)
        torch.set_rng_state(self._cpu)
        if self._cuda is not None:
            torch.cuda.set_rng_state(self._cuda)
