"""Ask a child process a question, so that the process that asks never loads torch."""

import json
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from signal import SIGKILL, Signals
from tempfile import TemporaryFile
from typing import IO

from objectives.contract import RecipeError


def ask(
    module: str,
    question: object,
    purpose: str,
    environment: Mapping[str, str] | None = None,
    launcher: Sequence[str] = (),
) -> Generator[str, None, None]:
    """Run a module in a child process and yield each line of its answer once it is printed.

    Raises RecipeError with the last line that a failed child wrote to stderr. The child is killed
    when the caller stops reading.

    module: reads the question as JSON from stdin and prints its answer to stdout.
    purpose: the question in words, for the error about a child that died without a message.
    environment: the child's environment variables; None is this process's.
    launcher: the command that starts the child, see `search.processes.spawn`.
    """
    command = [*launcher, sys.executable, "-P", "-m", module]
    with (
        # Files, not an argument and a pipe: a command line holds 240 configurations at most, and a
        # pipe of errors that is read only at the end would fill up and block the child.
        _file_of(json.dumps(question)) as stdin,
        TemporaryFile("w+") as stderr,
        subprocess.Popen(
            command,
            env=None if environment is None else dict(environment),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        try:
            yield from process.stdout or ()
        except BaseException:
            process.kill()  # otherwise the end of this block would wait for the child's last answer
            raise
        if exit_code := process.wait():
            stderr.seek(0)
            raise _failure(stderr.read(), purpose, exit_code)


def _file_of(text: str) -> IO[str]:
    """Return an open file with this text, at its beginning; it vanishes when it is closed."""
    file = TemporaryFile("w+")  # noqa: SIM115 - the caller closes it
    file.write(text)
    file.seek(0)
    return file


def _failure(stderr: str, purpose: str, exit_code: int) -> RecipeError:
    lines = stderr.strip().splitlines()
    if lines and exit_code in (1, 2):
        return RecipeError(lines[-1])  # the child's own error, its fix included
    end = f"was killed by {Signals(-exit_code).name}" if exit_code < 0 else f"exited {exit_code}"
    is_killed = exit_code == -SIGKILL
    return RecipeError(
        f"{purpose} {end} without a message",
        fix="free some memory and try again" if is_killed else "look for what ends it there",
    )
