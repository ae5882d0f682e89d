"""Estimate BatchNorm's running statistics anew where they lag behind the weights."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

Inputs = tuple[Tensor, Tensor | None]  # images (B, C, *spatial) and their table, see `Batch`


@contextmanager
def reestimated(model: nn.Module, batches: Iterable[Inputs]) -> Iterator[None]:
    """Replace the model's running statistics by these batches' mean statistics within the context.

    Running statistics lag behind the weights in the first steps: with a good learning rate, the
    validation cross-entropy after the first epoch was 12.0, and .83 with new statistics.

    batches: the inputs of the network; not read if all statistics are frozen.
    """
    model.train()
    norms = [each for each in model.modules() if isinstance(each, _BatchNorm) and each.training]
    kept = [{name: each.clone() for name, each in norm.named_buffers()} for norm in norms]
    momenta = [norm.momentum for norm in norms]
    try:
        _estimate(model, norms, batches)
        yield
    finally:
        for norm, buffers, momentum in zip(norms, kept, momenta, strict=True):
            norm.load_state_dict(buffers, strict=False)
            norm.momentum = momentum


@torch.no_grad()
def _estimate(model: nn.Module, norms: list[_BatchNorm], batches: Iterable[Inputs]) -> None:
    model.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # None is torch's value for the plain mean over all batches
        norm.train()
    for inputs in batches if norms else ():
        model(*inputs)
    model.eval()
