"""A training curve without a network, in milliseconds per epoch, with real checkpoints."""

import json
import math
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from objectives.contract import (
    BEST_WEIGHTS,
    FOLD,
    FOLD_EPOCH,
    FOLDS_DONE,
    RULER,
    TRAIN_LOSS,
    Attempt,
    EpochResult,
)
from objectives.files.checkpoints import commit
from objectives.files.whole import write_whole
from objectives.recipe.toy import ToyRecipe

_STEPS = 10  # per epoch; `progress` is called at each
_START = 2.0  # every curve begins this far above the best loss
_HARDER = 0.05  # added to the loss by each further fold, equally in all trials


def train(config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
    """Yield a believable learning curve that follows from the seed and the configuration alone.

    With folds, one curve follows the other and the epochs are numbered continuously.
    """
    recipe, folds = ToyRecipe.from_config(config), attempt.data.folds
    results, distance = _resume(attempt.resume_from)
    yield from results
    for epoch in range(len(results) + 1, max(1, folds) * recipe.epochs + 1):
        fold, fold_epoch = _position(recipe, epoch)
        distance = _START if fold_epoch == 1 else distance
        started = time.perf_counter()
        if epoch == recipe.fail_at:
            raise RuntimeError(f"toy_curve fails at epoch {epoch}, as configured; set fail_at to 0")
        for _ in range(_STEPS):
            time.sleep(recipe.seconds_per_epoch / _STEPS)
            attempt.progress()
        distance *= _shrink(recipe, fold_epoch)
        metrics = _measure(recipe, epoch, distance + _HARDER * (fold - 1), attempt.seed)
        if folds:
            metrics |= _fold_metrics(recipe, fold, fold_epoch)
        results.append(
            EpochResult(
                epoch=epoch, metrics=metrics, seconds=time.perf_counter() - started, images=100
            )
        )
        state = {"distance": distance, "results": [asdict(result) for result in results]}
        commit(attempt.folder, epoch, partial(_save, state), attempt.progress)
        yield results[-1]
    if recipe.weight_bytes:
        content = random.Random(attempt.seed).randbytes(recipe.weight_bytes)
        weights = attempt.folder / BEST_WEIGHTS
        write_whole(weights, lambda path: path.write_bytes(content), attempt.progress)


def _position(recipe: ToyRecipe, epoch: int) -> tuple[int, int]:
    """Return the fold of an epoch and the epoch's number in it, both from 1."""
    folds_before, epochs_before = divmod(epoch - 1, recipe.epochs)
    return folds_before + 1, epochs_before + 1


def _fold_metrics(recipe: ToyRecipe, fold: int, fold_epoch: int) -> dict[str, float]:
    is_over = fold_epoch == recipe.epochs
    done = fold if is_over else fold - 1
    return {FOLD: float(fold), FOLD_EPOCH: float(fold_epoch), FOLDS_DONE: float(done)}


def _shrink(recipe: ToyRecipe, epoch: int) -> float:
    """Compute the share of the distance to the best loss left after an epoch, .5 or more."""
    gain = 0.5 * _fitness(recipe)
    return 1 - (gain / 2 if epoch <= recipe.warmup_epochs else gain)


def _fitness(recipe: ToyRecipe) -> float:
    """Rate a learning rate: 1 at 0.01, .37 a factor of ten away, .02 a factor of hundred away."""
    return math.exp(-((math.log10(recipe.learning_rate) + 2) ** 2))


def _measure(recipe: ToyRecipe, epoch: int, distance: float, seed: int) -> dict[str, float]:
    floor = 0.3 - 0.2 * _fitness(recipe)
    noise = random.Random(f"{seed}/{epoch}").gauss(0, recipe.noise)
    diverged = 0 < recipe.diverge_at <= epoch
    return {
        TRAIN_LOSS: floor + distance,
        RULER: math.nan if diverged else abs(1.1 * floor + distance + noise),
    }


def _save(state: Mapping[str, Any], path: Path) -> None:
    path.write_text(json.dumps(state), encoding="utf-8")


def _resume(checkpoint: Path | None) -> tuple[list[EpochResult], float]:
    if checkpoint is None:
        return [], _START
    state = json.loads(checkpoint.read_text(encoding="utf-8"))
    return [EpochResult(**result) for result in state["results"]], state["distance"]
