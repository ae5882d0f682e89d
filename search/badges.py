"""What a trial's course says in a few words, to be read before its numbers."""

import math
from collections.abc import Mapping, Sequence
from itertools import groupby

from search.standing import Standing
from spaces.space import TrialConfig
from storage.rows import EpochRow
from storage.store import Store

RULER, TRAINED, AT_ONCE = "val_loss", "train_loss", "micro_batch"
# Validation of a good network wobbles by a few percent, and by hundredths of a nat where next to
# nothing is left to lose: two epochs in a row beyond both are no wobble any more.
MARGIN, SMALLEST_MARGIN = 0.1, 0.02
BAD_EPOCHS = 2

Badges = Mapping[int, tuple[str, ...]]  # by trial number, of the trials that have any


def badges(config: TrialConfig, outcome: str | None, epochs: Sequence[EpochRow]) -> tuple[str, ...]:
    """Give what is to be known of a trial at once: () for one that went as one would wish.

    outcome: under our name for it, None while the trial runs. epochs: the recorded ones, in order;
    metrics that they do not have earn nothing.
    """
    frozen, batch, asked = (
        int(config.get(name) or 0) for name in ("frozen_epochs", "batch_size", "micro_batch")
    )
    ruler, trained, at_once = (_course(epochs, name) for name in (RULER, TRAINED, AT_ONCE))
    found = ["diverged"] if outcome == "diverged" else []
    # "Never" is a word for trials that have ended. It explains why the loss rose, too.
    if outcome and _fine_tuning_never_helped(ruler, frozen):
        found.append("fine-tuning never helped")
    elif best := _overfits_after(ruler, trained):
        found.append(f"overfits after epoch {best}")
    if at_once and min(at_once.values()) < min(batch, asked or batch):
        found.append(f"in parts of {min(at_once.values()):g}")
    return tuple(found)


def read_badges(store: Store, standing: Standing) -> Badges:
    """Give the badges of all of a study's trials."""
    study = standing.study
    rows = groupby(store.epochs(study.name), key=lambda row: row.number)
    epochs = {number: list(of_trial) for number, of_trial in rows}
    every = {
        trial.number: badges(
            study.config(trial.params), trial.outcome, epochs.get(trial.number, [])
        )
        for trial in standing.trials
    }
    return {number: earned for number, earned in every.items() if earned}


def _fine_tuning_never_helped(ruler: Mapping[int, float], frozen: int) -> bool:
    """Say whether the best epoch is one in which the backbone had not learned yet."""
    return 0 < frozen < max(ruler, default=0) and _best_epoch(ruler) <= frozen


def _overfits_after(ruler: Mapping[int, float], trained: Mapping[int, float]) -> int | None:
    """Give the best epoch where the loss rose clearly since, and the trained one still fell."""
    if not ruler:
        return None
    best, last = _best_epoch(ruler), max(ruler)
    borne = ruler[best] + max(MARGIN * ruler[best], SMALLEST_MARGIN)
    newest = [ruler[epoch] for epoch in sorted(ruler) if epoch > best][-BAD_EPOCHS:]
    rose = len(newest) == BAD_EPOCHS and min(newest) > borne
    fell = best in trained and last in trained and trained[last] < trained[best]
    return best if rose and fell else None


def _best_epoch(ruler: Mapping[int, float]) -> int:
    return min(ruler, key=ruler.__getitem__)


def _course(epochs: Sequence[EpochRow], name: str) -> dict[int, float]:
    """Give one metric by epoch, where it is a number; nothing where the objective has none."""
    values = {row.epoch: row.metrics[name] for row in epochs if name in row.metrics}
    return {epoch: value for epoch, value in values.items() if not math.isnan(value)}
