"""The small tables that finished trials keep in the artifact store, read once each."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from storage.artifacts import ArtifactStore, artifact_store, read_kept
from storage.errors import StorageError
from storage.rows import TrialRow

MOST_BYTES = 4_000_000  # a confusion matrix of 1,000 classes has 2 MB
RETRY_SECONDS = 30.0  # an artifact store that does not answer is asked again

Key = tuple[int, int, str]


@dataclass(frozen=True)
class KeptTable:
    """A table as text, or the reason why there is none."""

    text: str = ""
    reason: str = ""


class KeptTables:
    """The tables of one study's trials; a table that could not be read is a reason, no error.

    location: of the artifact store, see `storage.artifacts.artifact_store`.
    """

    def __init__(self, location: str, study: str) -> None:
        self._location, self._study = location, study
        self._store: ArtifactStore | None = None
        self._asked_at = -RETRY_SECONDS
        self._silence = ""  # why the store did not answer when it was last asked
        self._tables: dict[Key, KeptTable] = {}

    def read(self, trial: TrialRow, name: str) -> KeptTable:
        """Return a table of an ended trial."""
        key = (trial.trial_id, trial.attempts, name)
        if key in self._tables:
            return self._tables[key]
        if self._silence and time.monotonic() < self._asked_at + RETRY_SECONDS:
            return KeptTable(reason=self._silence)
        try:
            self._tables[key] = self._read(trial, name)
            self._silence = ""
        except (StorageError, OSError) as error:
            self._asked_at, self._silence = time.monotonic(), str(error)
            return KeptTable(reason=self._silence)
        return self._tables[key]

    def forget_all_but(self, trials: Sequence[TrialRow]) -> None:
        """Keep the tables of these trials only."""
        left = {trial.trial_id for trial in trials}
        self._tables = {key: table for key, table in self._tables.items() if key[0] in left}

    def _read(self, trial: TrialRow, name: str) -> KeptTable:
        self._store = self._store or artifact_store(self._location)
        content = read_kept(self._store, self._study, trial, name, most=MOST_BYTES + 1)
        if content is None:
            return KeptTable(reason=f"trial {trial.number} has no {name}")
        if len(content) > MOST_BYTES:
            return KeptTable(reason=f"{name} of trial {trial.number} is too large to be shown")
        try:
            return KeptTable(content.decode())
        except UnicodeDecodeError:
            return KeptTable(reason=f"{name} of trial {trial.number} is no text")
