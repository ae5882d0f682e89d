"""Follow a running script: its output, its reports, its end."""

import errno
import logging
import os
import select
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from objectives.contract import Attempt, EpochResult
from objectives.script.answers import END, GO_ON, Answers
from objectives.script.failures import failure_of, fault
from objectives.script.output import Output
from objectives.script.process import ScriptProcess
from objectives.script.reader import BrokenResult, Reader

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1  # between two looks at a file, and at whether the attempt must end
_START_FIXES = {
    errno.ENOENT: "install the program, or correct the command",
    errno.EACCES: "make the file executable (`chmod +x`), or name the program that runs it",
    errno.ENOEXEC: "begin the file with a line such as #!/bin/bash",
}


@dataclass(kw_only=True)
class Following:
    """A script that runs, and all that comes from it.

    name: how messages call it.
    """

    name: str
    process: ScriptProcess
    output: Output
    answers: Answers
    reader: Reader
    attempt: Attempt
    _count: int = field(default=0, repr=False)  # of the results
    _is_quiet: bool = field(default=False, repr=False)  # it has closed its output

    def results(self) -> Iterator[EpochResult]:
        """Yield the results until the script ends; ScriptFailed where it ends otherwise than well.

        A script that waits for an answer goes on when the next result is asked for.
        """
        position = self.reader.position
        while not self.process.is_over:
            yield from self._new()
            self.answers.give(GO_ON)
            has_moved = self._wait() or self.reader.position != position
            position = self.reader.position
            if has_moved:
                self.attempt.progress()
            else:
                self.attempt.check()
        self._read_output()
        yield from self._new(is_over=True)
        self._judge()

    def end(self, grace_seconds: float) -> None:
        """Ask a script that still runs to end, and kill it where it does not.

        One that waits for an answer is told to end; any other gets SIGTERM, as do the processes
        that are left when the one that waited has ended.
        """
        ends_at = time.monotonic() + grace_seconds
        is_asked = False
        self.answers.read()  # a helper speaks up before it writes the report that was read
        while not self.process.is_over and time.monotonic() < ends_at:
            if self.answers.is_awaited:
                self.answers.give(END)
            elif not is_asked and not self.answers.is_ending:
                self.process.terminate()
                is_asked = True
            self._wait()
        if not self.process.is_over:
            log.warning("%s did not end within %g s: killed", self.name, grace_seconds)
            self.process.kill()
        self._read_output()

    def _new(self, *, is_over: bool = False) -> Iterator[EpochResult]:
        try:
            for result in self.reader.read(is_over=is_over):
                self._count += 1
                yield result
        except BrokenResult as error:
            raise fault(self.name, str(error), self.output.recent) from None

    def _wait(self) -> bool:
        """Wait a moment for news; return whether the script has shown that it moves."""
        poll = select.poll()
        numbers = [self.process.fileno(), *(each.fileno() for each in self.answers.sockets)]
        if not self._is_quiet:
            numbers.append(self.output.fileno())
        for number in numbers:
            poll.register(number, select.POLLIN)
        ready = {number for number, _ in poll.poll(LOOK_SECONDS * 1000)}
        if self.process.fileno() in ready:
            self.process.read()
        has_said = self.answers.read()
        has_written = self.output.fileno() in ready and self._read_some()
        return has_said or has_written

    def _read_some(self) -> bool:
        """Read some output; return whether there was any."""
        chunk = self.output.read()
        self._is_quiet = chunk == b""
        self.reader.take(chunk or b"")
        return bool(chunk)

    def _read_output(self) -> None:
        while not self._is_quiet and self._read_some():
            pass

    def _judge(self) -> None:
        process, recent = self.process, self.output.recent
        if process.start_error:
            why = os.strerror(process.start_error)
            fix = _START_FIXES.get(process.start_error, "correct the command")
            raise fault(self.name, f"could not be started ({why}); {fix}")
        if process.exit_code:
            raise failure_of(self.name, process.exit_code, recent)
        if not self._count and self.attempt.resume_from is None:
            raise fault(self.name, f"ended and {self.reader.nothing}", recent)
