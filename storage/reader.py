"""What is read back from the database: studies, trials, who works on them and what they left."""

import optuna
from optuna.samplers import BaseSampler
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
    """The half of the store that changes nothing; every method is one short transaction.

    optuna_storage: for what only reads, such as optuna-dashboard; it caches finished trials.
    """

    def __init__(self, engine: Engine, optuna_storage: BaseStorage) -> None:
        self._engine = engine
        self.optuna_storage = optuna_storage

    def study(self, name: str) -> StudyRow:
        """Give a stored study; UnknownStudy names the nearest one."""
        with transaction(self._engine) as connection:
            return studies.one(connection, name)

    def studies(self) -> list[StudyRow]:
        """Give every stored study, oldest first."""
        with transaction(self._engine) as connection:
            return studies.every(connection)

    def manifest(self, name: str) -> str | None:
        """Give the study's data as the CSV table it was created with; None where there is none."""
        with transaction(self._engine) as connection:
            return manifests.read(connection, studies.one(connection, name).study_id)

    def test_uses(self, name: str) -> list[UseRow]:
        """Give every opening of the study's test split, the first one first."""
        with transaction(self._engine) as connection:
            return split_uses.every(connection, studies.one(connection, name))

    def optuna_study(self, name: str, sampler: BaseSampler | None = None) -> optuna.Study:
        """Give Optuna's view of a study, for sampling and for reading; UnknownStudy without one."""
        self.study(name)
        return optuna.Study(name, self.optuna_storage, sampler)

    def trials(self, name: str) -> list[TrialRow]:
        """Give every trial in the order of their numbers."""
        with transaction(self._engine) as connection:
            return trials.every(connection, studies.one(connection, name))

    def epochs(self, name: str, number: int | None = None) -> list[EpochRow]:
        """Give the recorded epochs of one trial, or of all, in order."""
        with transaction(self._engine) as connection:
            return trials.epochs_of(connection, studies.one(connection, name), number)

    def attempts(self, name: str, number: int | None = None) -> list[AttemptRow]:
        """Give the attempts at one trial, or at all: the ledger of worker time, losses included."""
        with transaction(self._engine) as connection:
            return trials.attempts_of(connection, studies.one(connection, name), number)

    def files(self, name: str, number: int | None = None) -> list[FileRow]:
        """Give the files that one trial's attempts, or all, share with other machines."""
        with transaction(self._engine) as connection:
            return shared_files.every(connection, studies.one(connection, name), number)

    def workers(self, name: str) -> list[WorkerRow]:
        """Give the study's workers, oldest first."""
        with transaction(self._engine) as connection:
            return workers.every(connection, studies.one(connection, name))
