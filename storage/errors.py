"""What can go wrong with storage, each said in one line that ends with the fix."""


class StorageError(Exception):
    """Something about where studies are kept is wrong; the message is one line with the fix."""


class DatabaseUnreachable(StorageError):
    """No connection to the database: it is down, elsewhere, or refuses us."""


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
