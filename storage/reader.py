"""The reading half of the store: studies, trials, their epochs, attempts, files and workers."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from threading import local
from typing import Self

import optuna
from optuna.storages import BaseStorage
from sqlalchemy import Engine

from storage import (
    attempts,
    equal,
    looks,
    manifests,
    shared_files,
    split_uses,
    studies,
    trials,
    workers,
)
from storage.engine import ends
from storage.engine.arrays import StudyArrays
from storage.live.moments import Moments
from storage.live.reader import LiveReader
from storage.looks import Look, TrialCounts
from storage.rows import (
    AttemptRow,
    EpochRow,
    FileRow,
    Outcome,
    StudyRow,
    TrialRow,
    WorkerRow,
)
from storage.split_uses import UseRow
from storage.transaction import ONE_MOMENT


class StoreReader(LiveReader):
    """Methods that change nothing, each one short transaction; UnknownStudy for an unknown name.

    optuna_storage: for readers such as optuna-dashboard; it keeps ended trials, and writes nothing.
    keeps_snapshots: whether `arrays` stores a study's arrays for processes that start later.
    """

    keeps_snapshots = False

    def __init__(self, engine: Engine, optuna_storage: BaseStorage) -> None:
        self._engine = engine
        self.optuna_storage = optuna_storage
        self._of_thread = local()  # each thread's arrays by the study's name
        self._moments = Moments(engine)

    @property
    def engine(self) -> Engine:
        """The pool of connections behind every statement and transaction."""
        return self._engine

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def one_moment(self) -> AbstractContextManager[None]:
        """Read in one transaction, as it is at one moment, all that this thread reads in the block.

        Nothing else may take long in it: the server ends a transaction that is idle for 10 s.
        """
        return self._moments.one()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def study(self, name: str) -> StudyRow:
        """Read a stored study; UnknownStudy names the nearest one."""
        with self._moments.transaction() as connection:
            return self._moments.study(connection, name)

    def studies(self) -> list[StudyRow]:
        """Read every stored study, oldest first."""
        with self._moments.transaction() as connection:
            return studies.every(connection)

    def manifest(self, name: str) -> str | None:
        """Read the study's manifest, the CSV text it was created with; None where there is none."""
        with self._moments.transaction() as connection:
            return manifests.read(connection, self._moments.study(connection, name).study_id)

    def test_uses(self, name: str) -> list[UseRow]:
        """Read every use of the study's test split, oldest first."""
        with self._moments.transaction() as connection:
            return split_uses.every(connection, self._moments.study(connection, name))

    def optuna_study(self, name: str) -> optuna.Study:
        """Build Optuna's own object for a study; it only reads."""
        self.study(name)
        return optuna.Study(name, self.optuna_storage)

    def look(self, name: str, before: Look | None = None, newest: int = 0) -> Look:
        """Read a study at one moment, in sums and a few rows.

        before: an earlier look, from which this one goes on: only what has changed is read.
        newest: how many of the newest trials to read.
        """
        with self._moments.transaction(ONE_MOMENT) as connection:
            return looks.look(connection, name, before, newest)

    def counts(self, name: str) -> TrialCounts:
        """Count a study's trials by state."""
        with self._moments.transaction() as connection:
            return looks.count(connection, self._moments.study(connection, name))

    def trials(self, name: str) -> list[TrialRow]:
        """Read every trial, in the order of their numbers."""
        with self._moments.transaction() as connection:
            return trials.every(connection, self._moments.study(connection, name))

    def trials_of(self, name: str, numbers: Collection[int]) -> list[TrialRow]:
        """Read the trials of these numbers; those that are not there are left out."""
        with self._moments.transaction() as connection:
            study = self._moments.study(connection, name)
            return list(trials.numbered(connection, study, numbers).values())

    def latest_trials(self, name: str, outcomes: Collection[Outcome], most: int) -> list[TrialRow]:
        """Read the newest trials that ended in one of these ways, the newest first."""
        with self._moments.transaction(ONE_MOMENT) as connection:
            return trials.latest(connection, self._moments.study(connection, name), outcomes, most)

    def best_trials(self, name: str, most: int) -> list[TrialRow]:
        """Read the best trials that finished here, best first; among equals the earlier one."""
        with self._moments.transaction(ONE_MOMENT) as connection:
            study = self._moments.study(connection, name)
            numbers = looks.best(connection, study, most)
            rows = trials.numbered(connection, study, numbers)
            return [rows[number] for number in numbers]

    def best(self, name: str, most: int) -> list[int]:
        """Read the numbers of the best complete trials, best first; among equals the earlier."""
        return self.arrays(name).best(most)

    def count_same_errors(self, name: str, worker: str, where: str) -> int:
        """Count the code errors at one place since the worker began and a trial last finished."""
        with self._moments.step() as connection:
            return ends.count_same_errors(connection, name, worker, where)

    def pages(self, name: str) -> Iterator[list[TrialRow]]:
        """Read every trial, some hundred at a time, in the order of their numbers."""
        study, after = self.study(name), -1
        while rows := self._page(study, after):
            yield rows
            after = rows[-1].number

    def sampled_epochs(self, name: str, numbers: Collection[int], most: int) -> list[EpochRow]:
        """Read at most so many recorded epochs of each trial, its first and last among them."""
        with self._moments.transaction() as connection:
            study = self._moments.study(connection, name)
            return trials.sampled_epochs(connection, study, numbers, most)

    def epochs(self, name: str, number: int | None = None) -> list[EpochRow]:
        """Read the recorded epochs of one trial, or of all, in order."""
        return self.epochs_of(name, None if number is None else [number])

    def epochs_of(self, name: str, numbers: Collection[int] | None) -> list[EpochRow]:
        """Read the recorded epochs of some trials, or of all for None, in order."""
        with self._moments.transaction() as connection:
            return trials.epochs_of(connection, self._moments.study(connection, name), numbers)

    def replaced_epochs(self, name: str, number: int) -> list[EpochRow]:
        """Read the epochs of a trial that later attempts replaced, by attempt and epoch."""
        with self._moments.transaction() as connection:
            study = self._moments.study(connection, name)
            return trials.replaced_epochs(connection, study, number)

    def epochs_after(self, name: str, known: Mapping[int, int]) -> list[EpochRow]:
        """Read the epochs of some trials beyond the known ones, in order.

        known: by a trial's number, its last known epoch; 0 for none.
        """
        with self._moments.transaction() as connection:
            return trials.epochs_after(connection, self._moments.study(connection, name), known)

    def arrays(self, name: str) -> StudyArrays:
        """Return every trial as arrays of this thread, with what is new since the last call."""
        arrays = self._arrays_of(name)
        self._moments.refresh(arrays)
        return arrays

    def equal_firsts(self, name: str, metric: str, keys: Collection[str]) -> dict[int, float]:
        """Read a metric of the first epoch, by trial, where other configurations gave the same.

        keys: the drawn values that make a configuration.
        """
        with self._moments.transaction() as connection:
            return equal.equal_firsts(
                connection, self._moments.study(connection, name), metric, keys
            )

    def attempts(self, name: str, number: int | None = None) -> list[AttemptRow]:
        """Read the attempts at one trial, or at all: the ledger of worker time, losses included."""
        with self._moments.transaction() as connection:
            numbers = None if number is None else [number]
            return attempts.every(connection, self._moments.study(connection, name), numbers)

    def attempts_of(self, name: str, numbers: Collection[int]) -> list[AttemptRow]:
        """Read the attempts at some trials, in order."""
        with self._moments.transaction() as connection:
            return attempts.every(connection, self._moments.study(connection, name), numbers)

    def newest_attempts(self, name: str, most: int = 300) -> list[AttemptRow]:
        """Read the attempts that were begun last, in the order of trials and attempts."""
        with self._moments.transaction() as connection:
            return attempts.newest(connection, self._moments.study(connection, name), most)

    def attempts_without_links(self, name: str) -> list[tuple[int, int]]:
        """Read the trial's id and the number of each attempt whose files no trial links."""
        with self._moments.transaction() as connection:
            return attempts.without_links(connection, self._moments.study(connection, name))

    def files(self, name: str, number: int | None = None) -> list[FileRow]:
        """Read the notes of shared files, those of one trial or of all."""
        with self._moments.transaction() as connection:
            return shared_files.every(connection, self._moments.study(connection, name), number)

    def linked_files(self, name: str) -> list[str]:
        """Read the ids of the files in the artifact store that the study's trials link."""
        with self._moments.transaction() as connection:
            return shared_files.linked(connection, self._moments.study(connection, name))

    def workers(self, name: str, *, at_work: bool = False) -> list[WorkerRow]:
        """Read the study's workers, oldest first.

        at_work: only those whose end is not recorded.
        """
        with self._moments.transaction() as connection:
            return workers.every(connection, self._moments.study(connection, name), at_work=at_work)

    def studies_at_work(self) -> set[str]:
        """Read the names of the studies with a worker whose end is not recorded."""
        with self._moments.transaction() as connection:
            return workers.studies_at_work(connection)

    def recent_workers(self, name: str, most: int = 50) -> list[WorkerRow]:
        """Read the workers whose ends were recorded last, the latest end first."""
        with self._moments.transaction() as connection:
            return workers.recent(connection, self._moments.study(connection, name), most)

    def _arrays_of(self, study: str) -> StudyArrays:
        known: dict[str, StudyArrays] = self._of_thread.__dict__
        if study not in known:
            with self._moments.step() as connection:
                known[study] = StudyArrays(connection, study, self.keeps_snapshots)
        return known[study]

    def _page(self, study: StudyRow, after: int) -> list[TrialRow]:
        with self._moments.transaction() as connection:
            return trials.page(connection, study, after)
