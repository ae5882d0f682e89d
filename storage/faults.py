"""Faults on order, for tests and `search chaos`: nothing here runs unless it is planted.

An order is a file with the line `ACT POINT SIGNAL`, `record 3 KILL` for one. ACT: claim, record,
tell, hand_back or any. POINT: the number of the act's statement or commit before which it happens,
from 0; `commit` (before the first one) or `after` (done, but the caller has not heard of it).
SIGNAL: KILL or STOP. Whoever obeys renames the file to `<file>.taken-<pid>` first, so that one
process does.
"""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, event, update

from storage import leases, studies
from storage.leases import Claim
from storage.rows import HandBackReason, Outcome
from storage.store import Store
from storage.tables import attempts

ACTS = ("claim", "record", "tell", "hand_back")


def plant(store: Store, file: Path) -> None:
    """Let this process obey the orders that appear in `file`."""
    hook = _Hook(file)
    event.listen(store._engine, "before_cursor_execute", hook.statement)
    event.listen(store._engine, "commit", hook.commit)
    for act in ACTS:
        setattr(store, act, hook.around(act, getattr(store, act)))


class _Hook:
    """Knows which act each thread is in, and how far."""

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

    def commit(self, _: Connection) -> None:
        if self._act:
            self._reach("commit")
            # A number as well: a walk of the numbers also finds a commit that should not be.
            self.statement()

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


def switch_off(guard: str) -> None:
    """Let this process do without a guard, so that a test of the promises can be seen to fail."""
    GUARDS[guard]()


def _write_unfenced() -> None:
    """A superseded attempt writes as if it still held its trial."""

    def close(
        connection: Connection,
        claim: Claim,
        reason: Outcome | HandBackReason,
        detail: str | None = None,
        *,
        told: bool,
    ) -> bool:
        ending = update(attempts).where(leases._is(claim))
        now = leases._NOW
        connection.execute(ending.values(ended_at=now, reason=reason, detail=detail, told=told))
        return True

    leases.renew = lambda *_: None
    leases.close = close


def _claim_unguarded() -> None:
    """Whoever claims takes a lease for expired at a fortieth of it, and waits for no lock."""

    def held_by_another(worker: str) -> ColumnElement[bool]:
        ends_at = attempts.c.beat_at + attempts.c.lease_seconds / 40 * leases._SECOND
        return and_(leases._OPEN, ends_at > leases._NOW, attempts.c.worker_id != worker)

    leases._held_by_another = held_by_another
    studies.locked = studies.one


GUARDS = {"fence": _write_unfenced, "claim": _claim_unguarded}
