"""The files of a trial: keep the lasting ones, and remove the others once it has ended."""

import shutil

from objectives.contract import OUTPUT_LOG, RECORDS
from search.worker.leased_trial import LeasedTrial
from search.worker.sharing import collect_shared
from search.worker.uploads import announce_weights
from search.worker.worker import Worker
from storage.engine.arrays import StudyArrays

TRACEBACK = "traceback.txt"
# The files of an attempt that readers, reports and comparisons come back to.
ARTIFACTS = (*RECORDS, TRACEBACK, OUTPUT_LOG)


def keep(leased: LeasedTrial) -> dict[str, str]:
    """Put the attempt's lasting files into the artifact store and return the links to them."""
    settings, links = leased.worker.settings, dict[str, str]()
    for name in ARTIFACTS:
        path = leased.folder / name
        if path.is_file():
            links |= leased.store.keep_file(leased.worker.kept, leased.claim, path)
    if settings.shared_artifacts:
        announce_weights(leased)
    return links


def collect(worker: Worker, trials: StudyArrays, kept: set[int]) -> None:
    """Remove the checkpoints of ended trials, and all weights but those of the kept ones.

    kept: the numbers of the best trials.
    """
    settings, study = worker.settings, worker.study.name
    if settings.shared_artifacts:
        collect_shared(worker, trials, kept)
    # The folders that are still here: those of removed trials are gone.
    names = [path.name for path in settings.trials_folder(study).glob("*")]
    here = [int(name) for name in names if name.isdecimal()]
    for number in trials.ended_among(here):
        folder = settings.trial_folder(study, number)
        if number not in kept:
            # Another worker may be removing the same folder right now.
            shutil.rmtree(folder, ignore_errors=True)
        for checkpoint in folder.glob("attempt-*/*.ckpt"):
            checkpoint.unlink(missing_ok=True)
