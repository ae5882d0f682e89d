"""Exit codes, and the errors that a user can mend."""

from spaces.errors import UserError

DONE = 0
FAILED = 1
WRONG = 2  # the study, the data or the command
BROKEN_OFF = 3  # by the failure breaker
MISMATCH = 4  # this machine does not match the study
DRAINED = 75  # handed back: start me again
KILLED = 130  # by the second Ctrl-C


class UsageError(UserError):
    """A command that cannot be carried out as typed; the message ends with the fix."""


class MachineMismatch(UserError):
    """This machine's data, networks or weights are not the study's; the message says the fix."""

    exit_code = MISMATCH


class StudyBroken(UserError):
    """The same error ends trial after trial; the message says which and where, and the fix."""

    exit_code = BROKEN_OFF


class AlreadyRunning(UserError):
    """Another `search run` holds this study on this machine; the message names its pid."""


def user_errors() -> tuple[type[Exception], ...]:
    """Give the errors that end a command with one line instead of a traceback."""
    # Asked for only once something was raised: `--help` stays light.
    from dashboards.door.port import PortError
    from objectives.contract import DataError, RecipeError
    from spaces.errors import StudyError
    from storage.errors import StorageError

    return (
        UsageError,
        MachineMismatch,
        StudyBroken,
        AlreadyRunning,
        PortError,
        StudyError,
        StorageError,
        DataError,
        RecipeError,
    )
