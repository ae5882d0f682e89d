"""Start a process that cannot outlive its parent.

`python -m search.processes.spawn PARENT COMMAND...` is the launcher. It asks the kernel to kill it
when its parent dies, and then becomes the command, before the command has imported anything.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h; survives exec, so the command inherits it


def spawn(
    command: Sequence[str], log: Path, environment: Mapping[str, str], fds: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own; it dies with this process.

    Call it from the main thread: the kernel's parent-death signal follows the *thread* that forked.

    log: the file to which its output is appended.
    environment: its whole environment.
    fds: the open files that it inherits under the same numbers; it gets no others.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [*launcher(), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            pass_fds=fds,
            start_new_session=True,  # Ctrl-C in the terminal reaches the supervisor alone
        )


def launcher() -> list[str]:
    """Return the words to put before a command, so that it dies with this process."""
    # -P: a folder named `search` in the working directory must not be taken for this package.
    return [sys.executable, "-P", "-m", "search.processes.spawn", str(os.getpid())]


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a spawned process and every process that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies, or exit if that has happened."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # If the parent died between fork and the line above, that signal never comes.
    if os.getppid() != parent:
        sys.exit(f"process {parent} is gone: not started without it")


if __name__ == "__main__":
    die_with_parent(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
