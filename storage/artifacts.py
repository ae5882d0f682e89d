"""Files that outlive their attempt: kept in the artifact store and linked to the Optuna trial."""

import json
import mimetypes
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from optuna.artifacts import ArtifactMeta, FileSystemArtifactStore, get_all_artifact_meta
from optuna.artifacts._upload import ARTIFACTS_ATTR_PREFIX, DEFAULT_MIME_TYPE
from optuna.artifacts.exceptions import ArtifactNotFound

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


def linked(store: Store, study: str) -> list[str]:
    """Give the ids of the files that a study's trials kept, those of all their attempts."""
    storage = store.optuna_storage
    trials = [storage.get_trial(trial.trial_id) for trial in store.trials(study)]
    return [
        meta.artifact_id
        for trial in trials
        for meta in get_all_artifact_meta(trial, storage=storage)
    ]


def remove(folder: Path, artifact_ids: Iterable[str]) -> None:
    """Remove kept files from a folder; it need not have them, or be there."""
    for artifact_id in artifact_ids:
        with suppress(ArtifactNotFound):
            FileSystemArtifactStore(folder).remove(artifact_id)


def _artifact_id(study: str, trial_id: int, attempt: int, name: str) -> str:
    # The dashboard serves ids of hex digits and dashes only.
    return str(uuid5(NAMESPACE_URL, f"{study}-{trial_id}-{attempt}-{name}"))
