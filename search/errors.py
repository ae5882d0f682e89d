"""The errors that a user can fix."""

from typing import Any

from spaces.errors import UserError
from spaces.exits import BROKEN_OFF, DEVICE_LOST, MISMATCH

# Python says so where no folder for temporary files can be written to; PyTorch needs one.
NO_TEMPORARY = "No usable temporary directory"
TEMPORARY_FIX = "make room in one of them, or set TMPDIR to a folder that may be written to"
# The reason of a worker's end that nobody asked for, although its exit code is 75.
NO_STEP = "its trial reported no step for too long"


class UsageError(UserError):
    """A command that cannot be carried out as typed."""


class MachineMismatch(UserError):
    """The data, networks or weights of this machine differ from the study's."""

    exit_code = MISMATCH


class StudyBroken(UserError):
    """The same error ends trial after trial; the message names the error and its place."""

    exit_code = BROKEN_OFF


class DeviceLost(UserError):
    """The GPU of this process no longer answers; the message names it."""

    exit_code = DEVICE_LOST


class AlreadyRunning(UserError):
    """Another `search run` holds this study on this machine; the message names its process."""


def user_errors() -> tuple[type[Any], ...]:
    """Return the errors that end a command with one line instead of a traceback.

    Each has the texts `found` and `fix`, and some an `exit_code`.
    """
    # Imported only once an error was raised, so that `--help` stays fast.
    from dashboards.door.entrance import EntranceError
    from dashboards.door.port import PortError
    from dashboards.door.tokens import TokenError
    from objectives.contract import DataError, RecipeError
    from spaces.errors import StudyError
    from storage.errors import StorageError

    return (
        UsageError,
        MachineMismatch,
        StudyBroken,
        DeviceLost,
        AlreadyRunning,
        PortError,
        TokenError,
        EntranceError,
        StudyError,
        StorageError,
        DataError,
        RecipeError,
    )
