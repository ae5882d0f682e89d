"""The errors of storage, each one line that ends with the fix."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches


# spaces, objectives and storage do not import each other: each has this class of its own.
class UserError(Exception):
    """An error that a user can fix; its text is one line, `found; fix`.

    found: the fault and its place.
    fix: the next step, the last clause of the line; empty where `found` ends with it.
    """

    def __init__(self, found: str, fix: str = "") -> None:
        super().__init__(found, fix)  # both, so that a copy made by pickle has both
        self.found, self.fix = found, fix

    def __str__(self) -> str:
        return f"{self.found}; {self.fix}" if self.fix else self.found


class StorageError(UserError):
    """The database, the embedded Postgres or the artifact store cannot be used as asked."""


class Unreachable(StorageError):
    """The database or the artifact store cannot be reached now; trying again later may help."""


class DatabaseUnreachable(Unreachable):
    """The database is down, at another address, or refuses the connection."""


class ArtifactsUnreachable(Unreachable):
    """The artifact store is away, or may not be read or written."""


class ArtifactsRefused(ArtifactsUnreachable):
    """The artifact store answers, and refuses: only another setting or right is likely to help."""


class ForeignServer(StorageError):
    """The embedded Postgres of this home runs, or may still run, on another machine."""


class StudyExists(StorageError):
    """A study of this name is already stored."""


class UnknownStudy(StorageError):
    """No study of this name is stored."""


class UnknownTrial(StorageError):
    """No trial of this number is stored."""


class LiveLeases(StorageError):
    """Workers hold trials: neither the tables can be changed nor the study be deleted."""


class LeaseLost(StorageError):
    """The trial belongs to another attempt now: this one may write nothing more."""


class AlreadyDrawn(StorageError):
    """Another trial has the values that were drawn, stored since the sampler read the trials."""


class EpochDiffers(StorageError):
    """The epoch is already recorded with other numbers: training did not repeat itself."""


@contextmanager
def explained() -> Iterator[None]:
    """Turn an OSError of the home's files into a StorageError that names the fix."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{error.filename or 'locking a file'}: {error.strerror}",
            "choose another home with SEARCH_HOME, or a database with SEARCH_DATABASE_URL",
        ) from error


def unknown_study(name: str, known: Sequence[str] | None = None) -> UnknownStudy:
    """Build the error for a study that is not stored.

    known: the names of the stored ones; None where they were not read.
    """
    near = get_close_matches(name, known or (), n=1)
    if near:
        fix = f"did you mean {near[0]!r}?"
    elif known:
        fix = f"use one of {', '.join(known)}"
    elif known is None:
        fix = "see `search status` for those that are"
    else:
        fix = "start one, such as `search run --study digits`"
    return UnknownStudy(f"no study {name!r} is stored here", fix)
