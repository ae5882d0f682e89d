"""Files that outlive their attempt: kept in the artifact store and linked to the Optuna trial."""

import json
import mimetypes
from dataclasses import asdict
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from optuna.artifacts import ArtifactMeta, FileSystemArtifactStore, get_all_artifact_meta
from optuna.artifacts._upload import ARTIFACTS_ATTR_PREFIX, DEFAULT_MIME_TYPE
from optuna.artifacts.exceptions import ArtifactNotFound

from storage.errors import StorageError
from storage.rows import TrialRow
from storage.store import Claim, Store


def artifact_store(folder: Path) -> FileSystemArtifactStore:
    """Give Optuna's artifact store in a folder, made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    return FileSystemArtifactStore(folder)


def keep(store: Store, folder: Path, claim: Claim, path: Path) -> str:
    """Keep a file of this attempt under its name and give its id; keeping it again replaces it.

    The file is whole before the trial knows of it. Raises LeaseLost like every write.
    """
    artifact_id = _artifact_id(claim.study, claim.trial_id, claim.attempt, path.name)
    with path.open("rb") as content:
        artifact_store(folder).write(artifact_id, content)
    kind, encoding = mimetypes.guess_type(path.name)
    meta = ArtifactMeta(artifact_id, path.name, kind or DEFAULT_MIME_TYPE, encoding)
    store.set_attribute(claim, ARTIFACTS_ATTR_PREFIX + artifact_id, json.dumps(asdict(meta)))
    return artifact_id


def kept(store: Store, study: str, trial: TrialRow) -> dict[str, str]:
    """Give the ids of a trial's kept files by their names; the latest attempt's where two match."""
    frozen = store.optuna_storage.get_trial(trial.trial_id)
    metas = get_all_artifact_meta(frozen, storage=store.optuna_storage)
    linked = {meta.artifact_id: meta.filename for meta in metas}
    return {
        name: artifact_id
        for attempt in range(1, trial.attempts + 1)
        for name in linked.values()
        if (artifact_id := _artifact_id(study, trial.trial_id, attempt, name)) in linked
    }


def fetch(folder: Path, artifact_id: str, path: Path) -> Path:
    """Copy a kept file to `path`, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    try:
        with artifact_store(folder).open_reader(artifact_id) as content:
            partial.write_bytes(content.read())
    except ArtifactNotFound as error:
        raise StorageError(
            f"file {artifact_id} ({path.name}) is not in {folder}; name the folder it was kept in"
        ) from error
    return partial.replace(path)


def _artifact_id(study: str, trial_id: int, attempt: int, name: str) -> str:
    # The dashboard serves ids of hex digits and dashes only.
    return str(uuid5(NAMESPACE_URL, f"{study}-{trial_id}-{attempt}-{name}"))
