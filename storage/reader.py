"""The reading half of the store: studies, trials, their epochs, attempts, files and workers."""

from collections.abc import Mapping
from types import MappingProxyType

import optuna
from optuna.storages import BaseStorage
from sqlalchemy import Engine

from storage import manifests, shared_files, split_uses, studies, trials, workers
from storage.rows import (
    AttemptRow,
    EpochRow,
    FileRow,
    StudyRow,
    TrialRow,
    UseRow,
    WorkerRow,
)
from storage.transaction import transaction


class StoreReader:
    """Methods that change nothing, each one short transaction; UnknownStudy for an unknown name.

    optuna_storage: for readers such as optuna-dashboard; it keeps ended trials, and writes nothing.
    """

    def __init__(self, engine: Engine, optuna_storage: BaseStorage) -> None:
        self._engine = engine
        self.optuna_storage = optuna_storage

    def study(self, name: str) -> StudyRow:
        """Read a stored study; UnknownStudy names the nearest one."""
        with transaction(self._engine) as connection:
            return studies.one(connection, name)

    def studies(self) -> list[StudyRow]:
        """Read every stored study, oldest first."""
        with transaction(self._engine) as connection:
            return studies.every(connection)

    def manifest(self, name: str) -> str | None:
        """Read the study's manifest, the CSV text it was created with; None where there is none."""
        with transaction(self._engine) as connection:
            return manifests.read(connection, studies.one(connection, name).study_id)

    def test_uses(self, name: str) -> list[UseRow]:
        """Read every use of the study's test split, oldest first."""
        with transaction(self._engine) as connection:
            return split_uses.every(connection, studies.one(connection, name))

    def optuna_study(self, name: str) -> optuna.Study:
        """Build Optuna's own object for a study; it only reads."""
        self.study(name)
        return optuna.Study(name, self.optuna_storage)

    def trials(
        self, name: str, known: Mapping[int, TrialRow] = MappingProxyType({})
    ) -> list[TrialRow]:
        """Read every trial, in the order of their numbers.

        known: ended trials by number, as they were read before; they are not read again.
        """
        with transaction(self._engine) as connection:
            return trials.every(connection, studies.one(connection, name), known)

    def epochs(self, name: str, number: int | None = None) -> list[EpochRow]:
        """Read the recorded epochs of one trial, or of all, in order."""
        with transaction(self._engine) as connection:
            return trials.epochs_of(connection, studies.one(connection, name), number)

    def attempts(self, name: str, number: int | None = None) -> list[AttemptRow]:
        """Read the attempts at one trial, or at all: the ledger of worker time, losses included."""
        with transaction(self._engine) as connection:
            return trials.attempts_of(connection, studies.one(connection, name), number)

    def files(self, name: str, number: int | None = None) -> list[FileRow]:
        """Read the notes of shared files, those of one trial or of all."""
        with transaction(self._engine) as connection:
            return shared_files.every(connection, studies.one(connection, name), number)

    def linked_files(self, name: str) -> list[str]:
        """Read the ids of the files in the artifact store that the study's trials link."""
        with transaction(self._engine) as connection:
            return shared_files.linked(connection, studies.one(connection, name))

    def workers(self, name: str) -> list[WorkerRow]:
        """Read the study's workers, oldest first."""
        with transaction(self._engine) as connection:
            return workers.every(connection, studies.one(connection, name))
