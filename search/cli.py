"""The command line: settle Python and the streams, then run one command.

Only this and `search.start` are loaded before Python is settled: until then a module of the user's
may stand in the place of one of ours.
"""

import atexit
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import FileIO, TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

from search.start import settle


def main(words: Sequence[str] | None = None, **given: Any) -> int:
    """Run one command and return its exit code; an error is one line on stderr.

    words: the command line; None for this process's own.
    given: further arguments of the command's function, for callers in Python.
    """
    if words is None:
        settle()
        words = sys.argv[1:]
        atexit.register(_ignore_requests)  # the first one is called last
        _let_no_message_fail()
    _settle_streams()
    _let_signals_close_what_is_open()
    from search.dispatch import dispatch
    from search.last_resort import last_resort

    try:
        return dispatch(words, given)
    except Exception as error:  # noqa: BLE001 - whatever it is, the user gets one line
        return last_resort(error, words)


def _let_signals_close_what_is_open() -> None:
    # SystemExit closes everything, the embedded Postgres too. Commands that train install
    # handlers of their own.
    from search.processes.signals import REQUESTS
    from spaces.exits import DRAINED

    for signum in set(REQUESTS) - {signal.SIGINT}:
        if signal.getsignal(signum) == signal.SIG_DFL:
            signal.signal(signum, lambda *_: sys.exit(DRAINED))


def _ignore_requests() -> None:
    # Python gives up its handlers before a process is gone: a second TERM, of a scheduler beside a
    # supervisor, would replace the exit code. It leaves signals alone that are ignored.
    from search.processes.signals import REQUESTS

    for signum in set(REQUESTS) - {signal.SIGINT}:
        signal.signal(signum, signal.SIG_IGN)


def _settle_streams() -> None:
    """Replace closed streams, and never fail on a character that the locale cannot print."""
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115 - open to the end
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115 - open to the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _let_no_message_fail() -> None:
    """Let messages be lost, not the run, where stderr is on a full disk or nobody reads it."""
    with suppress(AttributeError):
        encoding = sys.stderr.encoding
        sys.stderr = TextIOWrapper(_Lossy(2, "w", closefd=False), encoding, line_buffering=True)


class _Lossy(FileIO):
    """A file that is written where that is possible."""

    def write(self, data: Any) -> int:
        with suppress(OSError):
            return super().write(data) or len(data)
        return len(data)


def end(code: int) -> NoReturn:
    """End the process, where threads of an author's own code go on as well."""
    import threading

    from spaces.exits import DEVICE_LOST

    # What CUDA does at the end of a process may wait for a lost GPU for ever.
    is_free = code != DEVICE_LOST
    if is_free and all(
        each.daemon or each is threading.main_thread() for each in threading.enumerate()
    ):
        sys.exit(code)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody reads it, or the code has closed it
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    end(main())
