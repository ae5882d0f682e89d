"""The ends of a script that are no success, each with what its author needs to know."""

import re
import signal
from collections.abc import Sequence

from objectives.contract import OutOfMemory, says_out_of_memory

REPORT_LINES = 200
WHERE = 200  # characters
MEMORY_LINES = 30  # the last ones, among which lack of memory is looked for
OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)  # sent by somebody
SHELL_SIGNAL = 128  # a shell's exit code for its program's end by signal N is 128 + N
_ERROR = re.compile(r"\s*([\w.]*(Error|Exception|Interrupt)\b|ERROR\b|error:|Error in |fatal)")
_CHANGING = re.compile(r"0x[0-9a-fA-F]+|\d+(\.\d+)?([eE][-+]?\d+)?")


class ScriptFailed(Exception):
    """A script's fault, in one line.

    where: the same for the same fault, whatever the trial.
    report: the last lines of its output.
    """

    def __init__(self, found: str, where: str, report: str = "") -> None:
        super().__init__(found, where, report)
        self.found, self.where, self.report = found, where, report

    def __str__(self) -> str:
        return self.found


class ScriptOutOfMemory(ScriptFailed, OutOfMemory):
    """A script that ended for lack of memory."""


class ScriptKilled(ScriptFailed):
    """A script that was killed from outside, as by the kernel where memory is short."""


def fault(name: str, found: str, output: str = "") -> ScriptFailed:
    """Return the failure of a script that did something wrong.

    name: of the script; `found` goes on from it, and ends with the fix.
    output: the end of its output.
    """
    lines = output.splitlines()[-REPORT_LINES:]
    where = _CHANGING.sub("#", f"{name}: {found}")[:WHERE]
    return ScriptFailed(f"{name} {found}", where, "\n".join(lines))


def failure_of(name: str, exit_code: int, output: str) -> ScriptFailed:
    """Return the failure of a script that ended by itself with an exit code that is not 0.

    exit_code: negative after a signal.
    output: the end of its output.
    """
    lines = [line.rstrip() for line in output.splitlines() if line.strip()]
    ended, said = f"{name} ended {_describe(exit_code)}", _telling_line(lines)
    kind = ScriptFailed
    if says_out_of_memory("\n".join(lines[-MEMORY_LINES:])):
        kind = ScriptOutOfMemory
    elif _signal(exit_code) in OUTSIDE:
        kind = ScriptKilled
    return kind(
        f"{ended}: {said or 'it wrote nothing'}",
        f"{ended}: {_CHANGING.sub('#', said)}"[:WHERE],
        "\n".join(lines[-REPORT_LINES:]),
    )


def _describe(exit_code: int) -> str:
    number = _signal(exit_code)
    return f"by {signal.Signals(number).name}" if number else f"with exit code {exit_code}"


def _signal(exit_code: int) -> int:
    """Return the signal that ended a script, or the program of a shell's script; 0 for none."""
    number = -exit_code if exit_code < 0 else exit_code - SHELL_SIGNAL
    return number if number in set(signal.Signals) else 0


def _telling_line(lines: Sequence[str]) -> str:
    """Return the last line that names an error, else the last one; "" where there is none."""
    named = [line for line in lines[-MEMORY_LINES:] if _ERROR.match(line)]
    return (named or list(lines[-1:]) or [""])[-1].strip()
