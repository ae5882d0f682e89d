"""The files of a trial: which are kept, which go once it has ended."""

import shutil
from pathlib import Path

from objectives.contract import RECORDS
from search.analysis.snapshot import Snapshot
from search.settings import Settings
from search.worker.sharing import collect_shared
from search.worker.uploads import note_weights
from storage import artifacts
from storage.store import Claim, Store

# What an attempt leaves behind that readers, reports and comparisons come back to.
ARTIFACTS = (*RECORDS, "traceback.txt")


def keep(settings: Settings, store: Store, claim: Claim, folder: Path) -> None:
    """Put the attempt's lasting files into the artifact store, under names that repeat."""
    place = artifacts.artifact_store(settings.artifacts)
    for name in ARTIFACTS:
        if (folder / name).is_file():
            artifacts.keep(store, place, claim, folder / name)
    if settings.shared_artifacts:
        note_weights(store, claim, folder)


def collect(settings: Settings, store: Store, snapshot: Snapshot) -> None:
    """Remove what ended trials no longer need: checkpoints, and all weights but the best few."""
    if settings.shared_artifacts:
        collect_shared(store, settings.shared_artifacts, snapshot)
    kept = snapshot.kept
    for trial in snapshot.final:
        folder = settings.trial_folder(snapshot.study.name, trial.number)
        if trial.number not in kept:
            # Another worker may be removing the same folder right now.
            shutil.rmtree(folder, ignore_errors=True)
        for checkpoint in folder.glob("attempt-*/*.ckpt"):
            checkpoint.unlink(missing_ok=True)
