"""What can go wrong with storage, each said in one line that ends with the fix."""

from collections.abc import Iterator
from contextlib import contextmanager


class StorageError(Exception):
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
