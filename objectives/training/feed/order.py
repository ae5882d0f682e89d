"""The training images of an epoch and their order, decided by the seed and the epoch alone."""

import hashlib
from dataclasses import replace

import torch
from torch import Tensor

from objectives.contract import Attempt
from objectives.recipe.optimization import steps_per_epoch


def epoch_generator(seed: int, epoch: int, purpose: str, device: str = "cpu") -> torch.Generator:
    """Build a generator for one purpose in one epoch, the same again in a resumed trial."""
    generator = torch.Generator(device)
    generator.manual_seed(_seed_of(f"{seed}/{epoch}/{purpose}"))
    return generator


def in_fold(attempt: Attempt, fold: int) -> Attempt:
    """Return the attempt with the seed of a fold; without folds, with the trial's."""
    if not attempt.data.folds:
        return attempt
    return replace(attempt, seed=_seed_of(f"{attempt.seed}/fold {fold}"))


def epoch_batches(
    labels: Tensor, batch_size: int, *, weighted: bool, generator: torch.Generator
) -> tuple[Tensor, ...]:
    """Draw the image indices of each step of an epoch.

    The sizes of the batches differ by one at most and do not exceed batch_size: a small last batch
    would count as much as a full one and be noisier.

    weighted: every class equally likely, with replacement; else each image once.
    """
    if weighted:
        weights = 1.0 / torch.bincount(labels)[labels]
        order = torch.multinomial(weights, len(labels), replacement=True, generator=generator)
    else:
        order = torch.randperm(len(labels), generator=generator)
    return order.tensor_split(steps_per_epoch(len(labels), batch_size))


def _seed_of(words: str) -> int:
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], "big") >> 1
