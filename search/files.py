"""The files of a trial: which are kept, which go once it has ended."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from search.settings import Settings
from spaces.study import Study
from storage import artifacts
from storage.rows import TrialRow
from storage.store import Claim, Store

KEPT_WEIGHTS = 3  # the best trials' weights stay on this machine; all others' go at once

ENDED = frozenset({"COMPLETE", "PRUNED", "FAIL"})

# What an attempt leaves behind that readers, reports and comparisons come back to.
ARTIFACTS = ("best_logits.npz", "traceback.txt")


def keep(settings: Settings, store: Store, claim: Claim, folder: Path) -> None:
    """Put the attempt's lasting files into the artifact store, under names that repeat."""
    for name in ARTIFACTS:
        if (folder / name).is_file():
            artifacts.keep(store, settings.artifacts, claim, folder / name)


def collect(settings: Settings, store: Store, study: Study) -> None:
    """Remove what ended trials no longer need: checkpoints, and all weights but the best few."""
    ended = [row for row in store.trials(study.name) if row.state in ENDED]
    kept = {row.number for row in best_first(study, ended)[:KEPT_WEIGHTS]}
    for row in ended:
        folder = settings.trial_folder(study.name, row.number)
        if row.number not in kept:
            # Another worker may be removing the same folder right now.
            shutil.rmtree(folder, ignore_errors=True)
        for checkpoint in folder.glob("attempt-*/*.ckpt"):
            checkpoint.unlink(missing_ok=True)


def best_first(study: Study, rows: Iterable[TrialRow]) -> list[TrialRow]:
    """Give the trials that have a final value, the best one first."""
    complete = [row for row in rows if row.state == "COMPLETE" and row.value is not None]
    return sorted(complete, key=lambda row: row.value, reverse=study.direction == "maximize")
