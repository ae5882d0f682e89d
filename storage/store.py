"""The one way into the database: studies, claims, results, files and workers.

Every method is one short transaction; those that write to a trial are one statement each
(storage/engine/steps.py). DatabaseUnreachable means that nothing was written, or that only the
acknowledgement was lost. Calling again is right in both cases: a write that was made is not made
twice. (`create` then raises StudyExists, `delete` UnknownStudy, and `note_test_use` counts twice.)
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self, Unpack

import optuna
from optuna.storages import RDBStorage
from sqlalchemy import Connection

from storage import manifests, shared_files, split_uses, studies, workers
from storage.connections import OF_A_WORKER
from storage.engine import ended, ends, rungs, steps, waiting
from storage.engine.drawing import Choose, DrawingStorage, at_random, drawing_of, is_new
from storage.engine.leases import Claim, Nothing
from storage.engine.reading import ReadingStorage
from storage.engine.results import Spent
from storage.engine.rungs import Arrival, Standing
from storage.engine.waiting import HasFile
from storage.live import outages
from storage.live.outages import NewOutage
from storage.optuna_inside import joined, queued_values
from storage.reader import StoreReader
from storage.rows import HandBackReason, NewStudy, NewWorker, Shown, Stop, StudyRow, TrialEnd
from storage.schema import head, open_backend
from storage.transaction import pooled_engine, step, transaction

__all__ = ["Claim", "NewStudy", "NewWorker", "Nothing", "Store", "StudyRow"]


class Store(StoreReader):
    """The stored studies, read and written through plain values.

    Open one per process and use it from any thread. The methods that only read are in StoreReader.
    """

    keeps_snapshots = True

    def __init__(self, backend: RDBStorage, connections: int = OF_A_WORKER) -> None:
        self._backend = backend
        engine = pooled_engine(backend.engine.url, connections)
        super().__init__(engine, ReadingStorage(engine))

    @classmethod
    def open(cls, url: str, connections: int = OF_A_WORKER) -> Self:
        """Open the store behind a database URL; its tables are made or brought up to date.

        connections: the most that this process has to the database at a time.
        """
        return cls(open_backend(url), connections)

    def close(self) -> None:
        """Close every connection."""
        self._backend.remove_session()
        super().close()

    # Studies

    def create(self, study: NewStudy) -> StudyRow:
        """Store a study with its manifest and its queue, all or nothing.

        Raises StudyExists if the name is taken.
        """
        with transaction(self._engine) as connection, joined(self._backend, connection):
            study_id = studies.create(connection, self._backend, study)
            if study.manifest is not None:
                manifests.keep(connection, study_id, study.manifest)
            return studies.one(connection, study.name)

    def show(self, name: str, shown: Shown) -> None:
        """Store what Optuna's readers show of a study, in place of what they showed before."""
        with transaction(self._engine) as connection, joined(self._backend, connection):
            studies.show(self._backend, studies.one(connection, name).study_id, shown)

    def update_definition(
        self, name: str, definition: Mapping[str, Any], trials: int | None
    ) -> StudyRow:
        """Replace the definition and the budget of a study; its fingerprint stays."""
        return self._change(name, definition=definition, trials=trials)

    def amend(
        self, name: str, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    ) -> StudyRow:
        """Replace the definition of a study by what `change` makes of it, one caller at a time."""
        with transaction(self._engine) as connection:
            return studies.amend(connection, name, change)

    def request_stop(self, name: str, how: Stop) -> StudyRow:
        """Ask every worker of the study to stop after its epoch ("drain") or at once ("now")."""
        return self._change(name, stop=how)

    def clear_stop(self, name: str) -> StudyRow:
        """Take a stop request back, so that trials can be claimed again."""
        return self._change(name, stop=None)

    def delete(self, name: str) -> None:
        """Remove a study with its trials; LiveLeases while a worker holds one of them."""
        # Every row of a trial is looked for in a dozen tables: 100,000 trials took 13 s.
        with transaction(self._engine, statement_timeout="1h") as connection:
            studies.remove(connection, name)

    def write_note(self, name: str, text: str) -> None:
        """Store the Markdown note that optuna-dashboard shows of a study."""
        with transaction(self._engine) as connection, joined(self._backend, connection):
            studies.write_note(self._backend, studies.one(connection, name).study_id, text)

    def note_test_use(self, name: str, used_by: str, purpose: str) -> None:
        """Store a use of the study's test split, before the split is opened.

        A call that is repeated because its answer was lost counts twice: counting one use too many
        is better than missing one.

        used_by: the worker or process.
        purpose: the reason, such as "confirm".
        """
        with transaction(self._engine) as connection:
            split_uses.note(connection, studies.one(connection, name), used_by, purpose)

    # Trials

    def claim(self, name: str, worker: str, *, lease_seconds: float) -> Claim | Nothing:
        """Claim the study's next trial for a registered worker, or return the reason for none.

        The order is: a running trial without a live lease, a queued trial, a new trial. Queued and
        new trials are claimed only while fewer trials than the budget have begun. A worker that
        still holds a trial gets that trial, because the answer to its last claim was lost.
        """
        with self._step() as connection:
            return steps.claim(connection, name, worker, lease_seconds=lease_seconds)

    def wait(self, name: str, seconds: float, interrupt: HasFile) -> None:
        """Return when a claim may give a trial after all, after `seconds` at the latest.

        interrupt: ends the wait as soon as there is something to read from its file.
        """
        with self._step() as connection:
            waiting.wait(connection, name, seconds, interrupt)

    @contextmanager
    def trial(
        self, claim: Claim, choose: Choose = at_random, *, may_repeat: bool = False
    ) -> Iterator[optuna.Trial]:
        """Yield the claimed trial to draw its parameters; those drawn before are replayed.

        The values drawn in the block are written together at its end, under a valid lease only.
        Raises AlreadyDrawn where the sampler took them for new and another trial has them since.

        choose: builds the sampler from the study's trials; how an `Explained` one draws is stored.
        may_repeat: whether values that another trial has are stored even so.
        """
        arrays = self._arrays_of(claim.study)
        with self._step() as connection:
            attributes = arrays.refresh(connection, claim.trial_id)
        trial = arrays.trial(claim.number, claim.trial_id, attributes)
        if trial is None:
            raise steps.lease_lost(claim)
        values = DrawingStorage(arrays, trial)
        sampler = at_random(arrays) if arrays.is_drawn(claim.number) else choose(arrays)
        drawing = drawing_of(sampler, bool(queued_values(attributes)))
        yield optuna.Trial(optuna.Study(claim.study, values, sampler), claim.trial_id)
        with self._step() as connection:
            must_be_new = is_new(sampler) and not may_repeat
            steps.draw(connection, claim, values.drawn, drawing, is_new=must_be_new)

    def queued_values(self, claim: Claim) -> Mapping[str, object]:
        """Read the values that a person or the study queued the claimed trial with, if any."""
        arrays = self._arrays_of(claim.study)
        with self._step() as connection:
            attributes = arrays.refresh(connection, claim.trial_id)
        return queued_values(attributes)

    def beat(self, claim: Claim, readings: Mapping[str, Any] | None = None) -> Stop | None:
        """Extend the lease and return the study's stop request; from any thread.

        Raises LeaseLost when another worker or a supervisor ended the attempt, or a person the
        trial.

        readings: the worker's, as JSON holds them, to be stored with it; None stores none.
        """
        with self._step() as connection:
            return steps.beat(connection, claim, readings)

    def record(
        self,
        claim: Claim,
        epoch: int,
        metrics: Mapping[str, float],
        value: float,
        *,
        is_deterministic: bool = True,
        **spent: Unpack[Spent],
    ) -> Stop | None:
        """Write the numbers of an epoch, extend the lease and return the study's stop request.

        An epoch that is recorded already with these numbers is left as it is; with other numbers
        it raises EpochDiffers.

        value: the metric that pruning and ranking look at; NaN and infinities may be recorded.
        is_deterministic: where the code is not, other numbers replace those of an earlier attempt,
            with all that such attempts recorded behind them: the curve is that of one training.
        """
        numbers: dict[str, Any] = {"value": value, **spent}
        with self._step() as connection:
            return steps.record(
                connection,
                claim,
                epoch,
                numbers=numbers,
                metrics=metrics,
                is_deterministic=is_deterministic,
            )

    def note_rung(self, claim: Claim, arrival: Arrival) -> Standing:
        """Note the trial at a rung and return its rank; one that was noted there keeps its own."""
        with self._step() as connection:
            return rungs.note(connection, claim, arrival)

    def tell(self, claim: Claim, end: TrialEnd) -> None:
        """End the trial and the lease, with its attributes."""
        with self._step() as connection:
            steps.tell(connection, claim, end)

    def note_file(self, claim: Claim, name: str, artifact_id: str) -> None:
        """Note a file that this attempt is about to share with other machines."""
        with self._step() as connection:
            steps.note_file(connection, claim, name, artifact_id)

    def forget_files(self, artifact_ids: Iterable[str]) -> None:
        """Remove the notes of files that were removed."""
        with transaction(self._engine) as connection:
            shared_files.forget(connection, artifact_ids)

    def hand_back(self, claim: Claim, reason: HandBackReason, detail: str | None = None) -> None:
        """End the lease and leave the trial running, for another attempt to continue.

        After three deadly ends in a row without a new epoch the trial fails.
        """
        with self._step() as connection:
            steps.hand_back(connection, claim, reason, detail)

    def end_leases(self, worker: str, reason: HandBackReason) -> int:
        """End the leases of a worker that is known to be dead; return how many it held.

        After three deadly ends in a row without a new epoch a trial fails.
        """
        with self._step() as connection:
            return steps.end_leases(connection, worker, reason)

    def end_trial(self, name: str, number: int) -> bool:
        """End a trial by a person's decision; False for one that had ended before.

        Its worker stops it at its next step and takes another one. Raises StorageError for a trial
        that is not there.
        """
        self.study(name)
        with self._step() as connection:
            return ended.end_trial(connection, name, number)

    # Workers

    def has_progressed(self, worker: str) -> bool:
        """Say whether a worker recorded an epoch or told the end of a trial."""
        with self._step() as connection:
            return ends.has_progressed(connection, worker)

    def register_worker(self, study: str, worker: NewWorker) -> None:
        """Store a worker of the study before its first claim."""
        with transaction(self._engine) as connection:
            workers.register(connection, studies.one(connection, study), worker, head())

    def worker_ended(self, worker: str, exit_code: int | None, reason: str) -> bool:
        """Store how a worker ended; False for one that was never registered.

        `end_leases` ends its leases.
        """
        with transaction(self._engine) as connection:
            return workers.end(connection, worker, exit_code, reason)

    def note_outage(self, outage: NewOutage) -> None:
        """Store an outage of the database that a worker has just seen end."""
        with self._step() as connection:
            outages.note(connection, outage)

    def _change(self, name: str, **columns: Any) -> StudyRow:
        with transaction(self._engine) as connection:
            return studies.change(connection, name, **columns)

    @contextmanager
    def _step(self) -> Iterator[Connection]:
        """Yield a connection on which every statement is a transaction of its own."""
        with step(self._engine) as connection:
            yield connection
