"""Stores that fail on purpose, for tests and `search chaos`; nothing else imports this module.

An order is a file with the line `ACT POINT SIGNAL`, `record 3 KILL` for example.
ACT: claim, record, note_rung, tell, hand_back or any.
POINT: the number of the act's statement before which the signal comes, counted from 0, or `after`
(the act is done, and the caller does not know it yet).
SIGNAL: KILL or STOP.
A process renames the file to `<file>.taken-<pid>` before it obeys, so that only one process does.
"""

import os
import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Unpack

from sqlalchemy import TextClause, and_, event, select, text, update

from storage import studies
from storage.engine import statements, steps
from storage.engine.leases import Claim, Nothing
from storage.engine.results import Spent
from storage.errors import DatabaseUnreachable, LeaseLost
from storage.rows import Stop, TrialEnd
from storage.store import Store
from storage.tables import attempts, trials
from storage.transaction import transaction

ACTS = ("claim", "record", "note_rung", "tell", "hand_back")
SHORT_LEASE_SECONDS = 0.05  # a fortieth of the lease in `search chaos`


class ObedientStore(Store):
    """A store whose process obeys orders to die or to pause in the middle of a write."""

    def obey(self, orders: Path) -> None:
        """Obey the orders that appear in the file `orders` from now on."""
        hook = _Hook(orders)
        event.listen(self.engine, "before_cursor_execute", hook.statement)
        for act in ACTS:
            setattr(self, act, hook.around(act, getattr(self, act)))


# The statements of a store that does not look at the lease.
ANY_ATTEMPT = """held AS (
    SELECT CAST(:trial AS integer) AS trial_id, CAST(:attempt AS integer) AS attempt,
           CAST(NULL AS text) AS stop)"""
UNFENCED_RECORD = text(statements.RECORD.text.replace(statements.HELD, ANY_ATTEMPT))
UNFENCED_RECORD_ANEW = text(statements.RECORD_ANEW.text.replace(statements.HELD, ANY_ATTEMPT))
UNFENCED_TELL = text(statements.TELL.text.replace("AND a.ended_at IS NULL", ""))


class UnfencedStore(ObedientStore):
    """A store through which a superseded attempt writes as if it still held its trial."""

    def beat(self, claim: Claim, readings: Mapping[str, Any] | None = None) -> Stop | None:
        """Extend the lease if it is still held; never raise LeaseLost."""
        with suppress(LeaseLost):
            return super().beat(claim, readings)
        return None

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
        """Write the numbers of an epoch without checking the lease."""
        try:
            return super().record(
                claim, epoch, metrics, value, is_deterministic=is_deterministic, **spent
            )
        except LeaseLost:
            numbers: dict[str, Any] = {"value": value, **spent}
            written = steps.epoch_values(epoch, numbers, metrics)
            statement = UNFENCED_RECORD if is_deterministic else UNFENCED_RECORD_ANEW
            self._force(statement, {**steps.attempt_of(claim), **written})
            return None

    def tell(self, claim: Claim, end: TrialEnd) -> None:
        """End the trial without checking the lease."""
        try:
            super().tell(claim, end)
        except LeaseLost:
            self._force(UNFENCED_TELL, {**steps.attempt_of(claim), **steps.end_values(end)})

    def _force(self, statement: TextClause, values: Mapping[str, Any]) -> None:
        with self._step() as connection:
            connection.execute(statement, values)


class GreedyStore(ObedientStore):
    """A store whose claims treat a lease as expired .05 s after its last beat."""

    def claim(self, name: str, worker: str, *, lease_seconds: float) -> Claim | Nothing:
        """Cut the leases of all other workers short, then claim."""
        with transaction(self._engine) as connection:
            of_study = trials.c.study_id == studies.one(connection, name).study_id
            others = and_(
                attempts.c.trial_id.in_(select(trials.c.trial_id).where(of_study)),
                attempts.c.ended_at.is_(None),
                attempts.c.worker_id != worker,
            )
            shorter = update(attempts).where(others).values(lease_seconds=SHORT_LEASE_SECONDS)
            connection.execute(shorter)
        return super().claim(name, worker, lease_seconds=lease_seconds)


class ForgetfulStore(ObedientStore):
    """A store that drops the epochs that the database cannot take now."""

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
        """Write the numbers of an epoch if the database answers."""
        with suppress(DatabaseUnreachable):
            return super().record(
                claim, epoch, metrics, value, is_deterministic=is_deterministic, **spent
            )
        return None


# The guards of a worker's writes, each with a store that does without it.
GUARDS: Mapping[str, type[ObedientStore]] = {
    "fence": UnfencedStore,
    "claim": GreedyStore,
    "replay": ForgetfulStore,
}


class _Hook:
    """The act that each thread is in, and the point it has reached there."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._here = threading.local()

    def around(self, act: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def acting(*args: Any, **kwargs: Any) -> Any:
            self._here.act, self._here.passed = act, 0
            try:
                answer = call(*args, **kwargs)
                self._reach("after")
                return answer
            finally:
                self._here.act = None

        return acting

    def statement(self, *_: Any) -> None:
        if self._act:
            self._reach(str(self._here.passed))
            self._here.passed += 1

    @property
    def _act(self) -> str | None:
        return getattr(self._here, "act", None)

    def _reach(self, point: str) -> None:
        try:
            act, wanted, name = self._file.read_text().split()
            if act in (self._act, "any") and wanted == point:
                self._file.rename(f"{self._file}.taken-{os.getpid()}")
                os.kill(os.getpid(), signal.Signals[f"SIG{name}"])
        except FileNotFoundError:  # there is no order, or another process was first
            return
