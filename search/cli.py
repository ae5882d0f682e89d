"""The command line: run one command and turn its result or error into an exit code.

Nothing heavy is imported here, so that `search --help` answers at once.
"""

import argparse
import importlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from search.errors import DONE, DRAINED, KILLED, WRONG, user_errors
from search.parser import build_parser
from search.settings import read_settings


def main(words: Sequence[str] | None = None, **given: Any) -> int:
    """Run one command and return its exit code; an error that a user can fix is one line on stderr.

    words: the command line; None for this process's own.
    given: further arguments of the command's function, for callers in Python.
    """
    _settle_streams()
    # SystemExit closes everything that is open, the embedded Postgres too. Commands that train
    # install handlers of their own.
    for signum in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(signum) == signal.SIG_DFL:
            signal.signal(signum, lambda *_: sys.exit(DRAINED))
    words = sys.argv[1:] if words is None else words
    arguments = argparse.Namespace(words=words)
    try:
        build_parser().parse_args(words, arguments)
        module, _, function = arguments.command.partition(":")
        command = getattr(importlib.import_module(f"search.commands.{module}"), function)
        code: int = command(arguments, read_settings(), **given)
    except user_errors() as error:
        _report(error.found, error.fix, arguments)
        return getattr(error, "exit_code", WRONG)
    except KeyboardInterrupt:
        return KILLED
    except BrokenPipeError:  # `search status | head`
        sys.stderr.close()
        return DONE
    except OSError as error:
        file = error.filename2 or error.filename  # a rename fails at its target
        if file is None:
            raise
        _report(f"{file}: {error.strerror}", "choose another place", arguments)
        return WRONG
    return code


def _report(found: str, fix: str, arguments: argparse.Namespace) -> None:
    """Print an error, and leave it for the supervisor that started this worker, if one did.

    With --json stdout gets it as well, as `{"error": found, "fix": fix}`.
    """
    line = f"search: {found}; {fix}" if fix else f"search: {found}"
    print(line, file=sys.stderr)
    if "--json" in arguments.words:
        print(json.dumps({"error": found, "fix": fix}))
    if reason_file := getattr(arguments, "reason_file", None):
        with suppress(OSError):  # the disk is full: the supervisor finds the line in the log
            reason_file.write_text(line, encoding="utf-8", errors="replace")


def _settle_streams() -> None:
    """Replace closed streams, and never fail on a character that the locale cannot print."""
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115 - open to the end
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115 - open to the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


if __name__ == "__main__":
    sys.exit(main())
