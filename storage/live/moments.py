"""The transactions of a reader: one for each reading, or one for all that a thread reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import local

from sqlalchemy import Connection, Engine

from storage import studies
from storage.engine.arrays import StudyArrays
from storage.rows import StudyRow
from storage.transaction import step, transaction


@dataclass(frozen=True)
class Moment:
    """One transaction of a thread, with the studies that it has read.

    arrays: those that are up to date.
    """

    connection: Connection
    rows: dict[str, StudyRow] = field(default_factory=dict)
    arrays: set[StudyArrays] = field(default_factory=set)


class Moments:
    """Where readings get their connection from: the moment of their thread, or the engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._of_thread = local()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Let all readings of this thread in the block share one transaction."""
        with transaction(self._engine, "REPEATABLE READ") as connection:
            self._of_thread.moment = Moment(connection)
            try:
                yield
            finally:
                del self._of_thread.moment

    @contextmanager
    def transaction(self, level: str = "READ COMMITTED") -> Iterator[Connection]:
        """Yield the connection of the moment, or that of a transaction of its own."""
        if moment := self._now():
            yield moment.connection
        else:
            with transaction(self._engine, level) as connection:
                yield connection

    @contextmanager
    def step(self) -> Iterator[Connection]:
        """Yield the connection of the moment, or one for single statements."""
        if moment := self._now():
            yield moment.connection
        else:
            with step(self._engine) as connection:
                yield connection

    def study(self, connection: Connection, name: str) -> StudyRow:
        """Read a stored study, in a moment once; UnknownStudy names the nearest one."""
        moment = self._now()
        if moment is None:
            return studies.one(connection, name)
        if name not in moment.rows:
            moment.rows[name] = studies.one(connection, name)
        return moment.rows[name]

    def refresh(self, arrays: StudyArrays) -> None:
        """Bring arrays up to date, in a moment once."""
        moment = self._now()
        if moment is None or arrays not in moment.arrays:
            with self.step() as connection:
                arrays.refresh(connection)
        if moment:
            moment.arrays.add(arrays)

    def _now(self) -> Moment | None:
        return getattr(self._of_thread, "moment", None)
