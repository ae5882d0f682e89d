"""Badges: a few words on a trial, to be read before its numbers."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, groupby

from dashboards.analysis.snapshot import Snapshot
from objectives.contract import FOLD, MICRO_BATCH, RULER, TRAIN_LOSS, EpochResult
from spaces.space import TrialConfig
from storage.reader import StoreReader
from storage.rows import EpochRow, Outcome, TrialRow

# The validation loss of a good network varies by a few percent, and by hundredths of a nat where
# it is close to 0. A rise over both margins in two epochs in a row is more than this noise.
MARGIN, SMALLEST_MARGIN = 0.1, 0.02
BAD_EPOCHS = 2
COMMA = ", "
READ_EPOCHS = 2000  # a few MB

Epochs = Sequence[EpochRow | EpochResult]
Badges = Mapping[int, tuple[str, ...]]  # by trial number, of the trials that have any


def badges(config: TrialConfig, outcome: Outcome | None, epochs: Epochs) -> tuple[str, ...]:
    """Find the badges of one trial; () where none applies.

    A badge whose metrics are not recorded is left out. With folds, a badge says in how many of
    them it applies.

    outcome: how the trial ended, None while it runs.
    epochs: the recorded epochs, in order.
    """
    found = [str(outcome)] if outcome == Outcome.DIVERGED else []
    found += _loss_badges(config, outcome, epochs)
    at_once = _course(epochs, MICRO_BATCH)
    if at_once and is_in_parts(config, min(at_once.values())):
        found.append(f"in parts of {min(at_once.values()):g}")
    return tuple(found)


def is_in_parts(config: TrialConfig, at_once: float) -> bool:
    """Say whether a batch did not fit into the memory: so many images at once are fewer."""
    batch, asked = (int(config.get(name) or 0) for name in ("batch_size", MICRO_BATCH))
    return at_once < min(batch, asked or batch)


def one_line(earned: Sequence[str]) -> str:
    """Return badges in one line, as they are stored with a trial's end."""
    return COMMA.join(earned)


def of_line(line: str) -> tuple[str, ...]:
    """Return the badges of a line as it is stored."""
    return tuple(line.split(COMMA)) if line else ()


def read_badges(store: StoreReader, snapshot: Snapshot, trials: Sequence[TrialRow]) -> Badges:
    """Find the badges of some trials of a study: those told at their ends, others in the epochs."""
    every = {trial.number: of_line(trial.badges) for trial in trials if trial.badges is not None}
    untold = [trial for trial in trials if trial.badges is None]
    for trial, epochs in _with_epochs(store, snapshot.study.name, untold):
        config = snapshot.stored.config(trial.params)
        every[trial.number] = badges(config, trial.outcome, epochs)
    return {number: earned for number, earned in every.items() if earned}


def _with_epochs(
    store: StoreReader, study: str, trials: Sequence[TrialRow]
) -> Iterator[tuple[TrialRow, Sequence[EpochRow]]]:
    """Yield each trial with its epochs, of which some thousand are read at a time."""
    before = list(accumulate((_length(trial) for trial in trials), initial=0))
    for _, group in groupby(zip(trials, before, strict=False), lambda pair: pair[1] // READ_EPOCHS):
        portion = [trial for trial, _ in group]
        epochs: dict[int, list[EpochRow]] = {trial.number: [] for trial in portion}
        if any(map(_length, portion)):
            for row in store.epochs_of(study, epochs):
                epochs[row.number].append(row)
        # A running trial may have more of them by now.
        yield from ((trial, epochs[trial.number][: _length(trial)]) for trial in portion)


def _length(trial: TrialRow) -> int:
    return trial.last.epoch if trial.last else 0


def _loss_badges(config: TrialConfig, outcome: Outcome | None, epochs: Epochs) -> Iterator[str]:
    """Yield the badges of the losses, fold by fold, since each fold trains a new network."""
    frozen = int(config.get("frozen_epochs") or 0)
    folds = [list(rows) for _, rows in groupby(epochs, key=lambda row: row.metrics.get(FOLD))]
    found = [_fold_badge(frozen, outcome is not None, rows) for rows in folds]
    if FOLD in (epochs[0].metrics if epochs else {}):
        for kind, count in Counter(kind for kind, _ in found if kind).items():
            yield f"{kind} in {count} of {len(folds)} folds"
    else:
        yield from (kind + since for kind, since in found if kind)


def _fold_badge(frozen: int, has_ended: bool, epochs: Epochs) -> tuple[str, str]:
    """Return the badge of one network and its "after epoch" clause; ("", "") for none."""
    ruler, trained = (_course(epochs, name) for name in (RULER, TRAIN_LOSS))
    # Only an ended trial can be said to have "never" improved. Checked first, because it also
    # explains a loss that rose.
    if has_ended and _fine_tuning_never_helped(ruler, frozen):
        return "fine-tuning never helped", ""
    if best := _overfits_after(ruler, trained):
        return "overfits", f" after epoch {best}"
    return "", ""


def _fine_tuning_never_helped(ruler: Mapping[int, float], frozen: int) -> bool:
    """Say whether the best epoch is one in which the backbone was still frozen."""
    return 0 < frozen < max(ruler, default=0) and _best_epoch(ruler) <= frozen


def _overfits_after(ruler: Mapping[int, float], trained: Mapping[int, float]) -> int | None:
    """Return the best epoch if the loss has clearly risen since while the training loss fell."""
    if not ruler:
        return None
    best, last = _best_epoch(ruler), max(ruler)
    limit = ruler[best] + max(MARGIN * ruler[best], SMALLEST_MARGIN)
    newest = [ruler[epoch] for epoch in sorted(ruler) if epoch > best][-BAD_EPOCHS:]
    rose = len(newest) == BAD_EPOCHS and min(newest) > limit
    fell = best in trained and last in trained and trained[last] < trained[best]
    return best if rose and fell else None


def _best_epoch(ruler: Mapping[int, float]) -> int:
    return min(ruler, key=ruler.__getitem__)


def _course(epochs: Epochs, name: str) -> dict[int, float]:
    """Return one metric by epoch, counted from 1, without epochs that lack it or report NaN."""
    values = enumerate((row.metrics.get(name, math.nan) for row in epochs), start=1)
    return {epoch: value for epoch, value in values if not math.isnan(value)}
