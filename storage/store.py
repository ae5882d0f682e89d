"""The one way into the database: studies, claims, results, files and workers.

Every method is one short transaction, Optuna's writes included. DatabaseUnreachable means that
nothing was written, or that only the acknowledgement was lost. Calling again is right in both
cases: a write that was made is not made twice. (`create` then raises StudyExists, `delete`
UnknownStudy, and `note_test_use` counts twice.)
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, Self

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import RDBStorage, get_storage
from optuna.trial import TrialState
from sqlalchemy import Connection

from storage import leases, manifests, results, shared_files, split_uses, studies, workers
from storage.leases import Claim, Nothing
from storage.optuna_inside import forget_trials, joined
from storage.reader import StoreReader
from storage.rows import HandBackReason, NewStudy, NewWorker, Outcome, Stop, StudyRow
from storage.schema import open_backend
from storage.transaction import transaction

__all__ = ["Claim", "NewStudy", "NewWorker", "Nothing", "Store", "StudyRow"]


class Store(StoreReader):
    """The stored studies, read and written through plain values.

    Open one per process and use it from any thread. The methods that only read are in StoreReader.
    """

    def __init__(self, backend: RDBStorage) -> None:
        super().__init__(backend.engine, get_storage(backend))
        self._backend = backend

    @classmethod
    def open(cls, url: str) -> Self:
        """Open the store behind a database URL; its tables are made or brought up to date."""
        return cls(open_backend(url))

    def close(self) -> None:
        """Close every connection."""
        self._backend.remove_session()
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Studies

    def create(self, study: NewStudy) -> StudyRow:
        """Store a study with its manifest and its queue, all or nothing.

        Raises StudyExists if the name is taken.
        """
        with self._writing() as connection:
            study_id = studies.create(connection, self._backend, study)
            if study.manifest is not None:
                manifests.keep(connection, study_id, study.manifest)
            return studies.one(connection, study.name)

    def update_definition(
        self, name: str, definition: Mapping[str, Any], trials: int | None
    ) -> StudyRow:
        """Replace the definition and the budget of a study; its fingerprint stays."""
        return self._change(name, definition=definition, trials=trials)

    def request_stop(self, name: str, how: Stop) -> StudyRow:
        """Ask every worker of the study to stop after its epoch ("drain") or at once ("now")."""
        return self._change(name, stop=how)

    def clear_stop(self, name: str) -> StudyRow:
        """Take a stop request back, so that trials can be claimed again."""
        return self._change(name, stop=None)

    def delete(self, name: str) -> None:
        """Remove a study with its trials; LiveLeases while a worker holds one of them."""
        with transaction(self._engine) as connection:
            studies.remove(connection, name)

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
        with self._writing() as connection:
            study = studies.locked(connection, name)
            workers.see(connection, worker)
            if study.stop:
                return Nothing.STOPPED
            return leases.claim(
                connection, self._backend, study, worker, lease_seconds=lease_seconds
            )

    @contextmanager
    def trial(self, claim: Claim, study: optuna.Study) -> Iterator[optuna.Trial]:
        """Yield the claimed trial to draw its parameters; those drawn before are replayed.

        The values drawn in the block are written together at its end, under a valid lease only.

        study: from `optuna_study`, with the sampler to draw with.
        """
        study.get_trials(deepcopy=False)  # the cached storage must know the trial
        with self._writing(claim) as connection:
            leases.renew(connection, claim)
            forget_trials(study)
            yield optuna.Trial(study, claim.trial_id)

    def beat(self, claim: Claim) -> Stop | None:
        """Extend the lease and return the study's stop request; from any thread.

        Raises LeaseLost when another worker or a supervisor ended the attempt, or a person the
        trial.
        """
        with transaction(self._engine) as connection:
            return leases.renew(connection, claim)

    def record(
        self,
        claim: Claim,
        epoch: int,
        metrics: Mapping[str, float],
        value: float,
        *,
        seconds: float,
        images: int,
    ) -> Stop | None:
        """Write the numbers of an epoch, extend the lease and return the study's stop request.

        An epoch that is recorded already with these numbers is left as it is; with other numbers
        it raises EpochDiffers.

        value: the metric that pruning and ranking look at; NaN and infinities may be recorded.
        """
        with self._writing(claim) as connection:
            stop = leases.renew(connection, claim)
            numbers = {"value": float(value), "seconds": float(seconds), "images": int(images)}
            if results.write_epoch(connection, claim, epoch, metrics=metrics, numbers=numbers):
                self._backend.set_trial_intermediate_value(claim.trial_id, epoch, float(value))
            return stop

    def tell(
        self,
        claim: Claim,
        state: Literal["COMPLETE", "PRUNED", "FAIL"],
        value: float | None,
        outcome: Outcome,
        *,
        detail: str | None = None,
        where: str | None = None,
    ) -> None:
        """End the trial and the lease.

        state: the trial's state for Optuna.
        value: a number for COMPLETE, None otherwise.
        outcome, detail: how it ended, for people.
        where: the type, file and line of the exception that ended it.
        """
        if (state == "COMPLETE") != (value is not None and not math.isnan(value)):
            raise ValueError(f"a {state} trial cannot have the value {value}")
        with self._writing(claim) as connection:
            if leases.close(connection, claim, outcome, detail, ends_trial=True, where=where):
                results.tell(
                    connection,
                    self._backend,
                    claim,
                    TrialState[state],
                    value=value,
                    outcome=outcome,
                )

    def note_file(self, claim: Claim, name: str, artifact_id: str) -> None:
        """Note a file that this attempt is about to share with other machines."""
        with self._writing(claim) as connection:
            leases.renew(connection, claim)
            shared_files.note(connection, claim, name, artifact_id)

    def forget_files(self, artifact_ids: Iterable[str]) -> None:
        """Remove the notes of files that were removed."""
        with transaction(self._engine) as connection:
            shared_files.forget(connection, artifact_ids)

    def set_attribute(self, claim: Claim, key: str, value: Any, is_shown: bool = False) -> None:
        """Set an attribute of Optuna's trial under the lease.

        is_shown: whether the dashboard lists it.
        """
        backend = self._backend
        with self._writing(claim) as connection:
            leases.renew(connection, claim)
            write = backend.set_trial_user_attr if is_shown else backend.set_trial_system_attr
            write(claim.trial_id, key, value)

    def hand_back(self, claim: Claim, reason: HandBackReason, detail: str | None = None) -> None:
        """End the lease and leave the trial running, for another attempt to continue.

        After three deadly ends in a row without a new epoch the trial fails.
        """
        with self._writing(claim) as connection:
            leases.close(connection, claim, reason, detail, ends_trial=False)
            results.fail_after_deaths(connection, self._backend, claim.trial_id)

    def end_leases(self, worker: str, reason: HandBackReason) -> int:
        """End the leases of a worker that is known to be dead; return how many it held.

        After three deadly ends in a row without a new epoch a trial fails.
        """
        with self._writing() as connection:
            held = leases.close_all(connection, worker, reason)
            for trial_id in held:
                results.fail_after_deaths(connection, self._backend, trial_id)
            return len(held)

    # Workers

    def register_worker(self, study: str, worker: NewWorker) -> None:
        """Store a worker of the study before its first claim."""
        with transaction(self._engine) as connection:
            workers.register(connection, studies.one(connection, study), worker)

    def worker_ended(self, worker: str, exit_code: int | None, reason: str) -> None:
        """Store how a worker ended; `end_leases` ends its leases."""
        with transaction(self._engine) as connection:
            workers.end(connection, worker, exit_code, reason)

    def _change(self, name: str, **columns: Any) -> StudyRow:
        with transaction(self._engine) as connection:
            return studies.change(connection, name, **columns)

    @contextmanager
    def _writing(self, claim: Claim | None = None) -> Iterator[Connection]:
        try:
            with transaction(self._engine) as connection, joined(self._backend, connection):
                yield connection
        except UpdateFinishedTrialError as error:  # a person ended the trial in the dashboard
            if claim is None:
                raise
            raise leases.lease_lost(claim) from error
