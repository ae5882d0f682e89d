"""Run one command and turn its result or error into an exit code.

Nothing heavy is imported here, so that `search --help` answers at once.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from objectives.files.disk import FULL
from search.errors import NO_TEMPORARY, TEMPORARY_FIX, user_errors
from search.parser import build_parser
from search.report import report
from search.settings import read_settings
from spaces.exits import DONE, KILLED, WRONG


def dispatch(words: Sequence[str], given: Mapping[str, Any]) -> int:
    """Run one command and return its exit code; an error that a user can fix is one line on stderr.

    words: the command line.
    given: further arguments of the command's function.
    """
    arguments = argparse.Namespace(words=words)
    try:
        build_parser().parse_args(words, arguments)
        module, _, function = arguments.command.partition(":")
        command = getattr(importlib.import_module(f"search.commands.{module}"), function)
        code: int = command(arguments, read_settings(), **given)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return KILLED
    except SystemExit:
        raise  # not past the next line: what it imports may be half loaded where a signal came
    except user_errors() as error:
        report(error.found, error.fix, words)
        return getattr(error, "exit_code", WRONG)
    except BrokenPipeError:  # `search status | head`
        sys.stderr.close()
        return DONE
    except OSError as error:
        report(*_explained(error), words)
        return WRONG
    return code


def _explained(error: OSError) -> tuple[str, str]:
    """Return what was found and its fix for an error of the file system; raise it if it is ours."""
    file = error.filename2 or error.filename  # a rename fails at its target
    if file is not None:
        return f"{file}: {error.strerror}", "choose another place"
    if NO_TEMPORARY in str(error):
        return str(error.strerror), TEMPORARY_FIX
    if not _has_folder():
        return "the folder in which you are was removed", "change to another one and try again"
    if error.errno in FULL:
        _fall_silent()
        return f"a file could not be written ({error.strerror})", "free some space on its disk"
    raise error


def _has_folder() -> bool:
    try:
        return bool(Path.cwd())
    except FileNotFoundError:
        return False


def _fall_silent() -> None:
    """Discard what stdout still holds: on a full disk Python would fail on it at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
