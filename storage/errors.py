"""What can go wrong with storage, each said in one line that ends with the fix."""

from collections.abc import Iterator
from contextlib import contextmanager


# spaces, objectives and storage do not import each other: each has this class of its own.
class UserError(Exception):
    """An error that a user can fix; its text is one line, `found; fix`.

    found: the thing that is wrong, and where.
    fix: the next step, the last clause of the line; empty where `found` says it.
    """

    def __init__(self, found: str, fix: str = "") -> None:
        super().__init__(found, fix)  # both, so that a copy made by pickle has both
        self.found, self.fix = found, fix

    def __str__(self) -> str:
        return f"{self.found}; {self.fix}" if self.fix else self.found


class StorageError(UserError):
    """Something about where studies are kept is wrong; the message is one line with the fix."""


class DatabaseUnreachable(StorageError):
    """No connection to the database: it is down, elsewhere, or refuses us."""


class ArtifactsUnreachable(DatabaseUnreachable):
    """No way to the artifact store; who waits for the database waits for it as well."""


class ForeignServer(StorageError):
    """The embedded Postgres of this home runs, or may still run, on another machine."""


class StudyExists(StorageError):
    """A study of this name is already stored."""


class UnknownStudy(StorageError):
    """No study of this name is stored."""


class LiveLeases(StorageError):
    """The tables cannot be changed while trials are being run."""


class LeaseLost(StorageError):
    """Another attempt owns this trial now: nothing of this one may be written."""


class EpochDiffers(StorageError):
    """An epoch is recorded already, with other numbers: the trial did not repeat itself."""


@contextmanager
def explained() -> Iterator[None]:
    """Turn what the file system refuses into a StorageError with a way out."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{error.filename or 'locking a file'}: {error.strerror}; "
            "choose another home with SEARCH_HOME, or a database with SEARCH_DATABASE_URL"
        ) from error
