"""`search delete`: the only command that deletes anything."""

import shutil
from argparse import Namespace

from search.database import open_store
from search.errors import UsageError
from search.fleet.remember import remembered
from search.processes.lock import sole_lock
from search.settings import Settings
from search.studies.declare import stored_name
from search.studies.shared_folder import check_shared
from search.studies.splits import split_file
from search.worker.files import ARTIFACTS
from storage import artifacts


def delete(arguments: Namespace, settings: Settings) -> int:
    """Delete a study with its trials and files; without --yes, refuse and count the trials."""
    name = stored_name(arguments.name)
    folder = settings.study_folder(name)
    with open_store(settings) as store:
        row = store.study(name)
        if not arguments.yes:
            trials = store.counts(row.name).total
            raise UsageError(
                f"this deletes {row.name!r} with {trials} trials for good", "add --yes to do it"
            )
        if remembered(settings, row.name):
            # Its workers would hold their GPUs for a study that is gone.
            raise UsageError(
                f"{row.name} has a fleet", f"end it first: `search fleet down --study {row.name}`"
            )
        mark = check_shared(settings, store, row.name)  # else its files would stay for good
        with sole_lock(row.name, folder):
            kept = artifacts.kept_ids(store, row.name, ARTIFACTS)
            shared = [file.artifact_id for file in store.files(row.name)]
            artifact_store = artifacts.artifact_store(settings.artifacts, mark)
            store.delete(row.name)
            artifacts.remove(artifact_store, [*kept, *shared])
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(settings.logs / row.name, ignore_errors=True)
            split_file(settings, row.name).unlink(missing_ok=True)  # else it splits a new study
    print(f"{row.name} deleted")
    return 0
