"""Start a program and see to it that no process of it outlives the one that asked for it.

`python -I -S keeper.py CONTROL WORDS...`, where CONTROL is the number of a socket whose other end
only the worker holds. This process stands between the two, in a session of its own:

- The socket is closed when the worker ends, however it ends: then everything is killed.
- A daemon that the program left becomes this process's child, and is killed with the rest.
- The kernel kills the program if this process is killed. Its children carry KEPT_BY in their
  environment, by which `objectives.script.orphans` finds them.

It reads TERMINATE and KILL from the socket, and writes how the program ended, or could not start.
Nothing but the standard library is imported, and little of it: a trial waits for this to start.
"""

import ctypes
import os
import select
import signal
import sys

if False:  # for readers and mypy: this process imports as little as it can
    from collections.abc import Callable
    from typing import NoReturn

TERMINATE, KILL = b"T", b"K"
ENDED, NOT_STARTED = "ended", "not started"
KEPT_BY = "SEARCH_KEEPER"  # which keeper it was, in the environment of all that it started
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
# A stop of the whole machine or container sends these to every process; the worker decides here.
IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
DEFAULT = (*IGNORED, signal.SIGPIPE, signal.SIGXFSZ)  # Python ignores the last two


def main(control: int, words: list[str]) -> None:
    """Start the program, obey the socket, and end when no process of the program is left."""
    os.set_inheritable(control, False)
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    children = _wake_at_children()
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    os.environ[KEPT_BY] = f"{os.getpid()}:{start_time(os.getpid())}:{boot()}"
    program, error = _start(words, libc)
    if error:
        _tell(control, f"{NOT_STARTED} {error}")
    _close_streams()
    status = _wait(program, control, children)
    _kill_all()
    _tell(control, f"{ENDED} {status}")


def start_time(pid: int) -> str:
    """Return when a process began, in the kernel's ticks; "" for one that has ended."""
    state, *rest = _stat(pid) or ["Z"]
    return "" if state in "ZX" else rest[18]


def boot() -> str:
    """Return the id of this start of this machine."""
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def descendants(ancestor: int) -> list[int]:
    """List the processes that a process started, and those that they started."""
    parents = {int(name): _parent(int(name)) for name in os.listdir("/proc") if name.isdigit()}
    family = [ancestor]
    for member in family:  # it grows meanwhile
        family += [pid for pid, parent in parents.items() if parent == member]
    return family[1:]


def _wake_at_children() -> int:
    """Return a file that is readable once a child has ended."""
    wake, woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken)
    return wake


def _start(words: list[str], libc: ctypes.CDLL) -> tuple[int, str]:
    """Start the program; return its pid, and the `errno` with which that failed or "".

    When this returns the program runs, so that no signal to it is lost.
    """
    outcome, told = os.pipe()  # closed when the program takes over
    keeper, program = os.getpid(), os.fork()
    if not program:
        _become(words, libc, keeper, told)
    os.close(told)
    return program, _read(outcome).decode()


def _become(words: list[str], libc: ctypes.CDLL, keeper: int, told: int) -> "NoReturn":
    """Turn this process into the program."""
    try:
        os.setsid()  # a group of its own, which SIGTERM reaches as a whole
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        for number in DEFAULT:
            signal.signal(number, signal.SIG_DFL)
        # If the keeper died between fork and prctl, that signal never comes.
        if os.getppid() == keeper:
            os.execvp(words[0], words)
    except OSError as error:
        os.write(told, str(error.errno).encode())
    finally:
        os._exit(127)


def _close_streams() -> None:
    """Leave the output to the program: its reader sees the end of it with the last process."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)


def _wait(program: int, control: int, children: int) -> int:
    """Obey the socket until the program has ended; return its status as `os.wait` has it.

    -1 where it is still there, and has to be killed.
    """
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(children, select.POLLIN)
    status, is_terminating = None, False
    while True:
        ready = [number for number, _ in poll.poll()]
        if control in ready:
            order = _read(control)
            if TERMINATE in order:
                is_terminating = True
                _send(os.killpg, program, signal.SIGTERM)
            if not order or KILL in order:
                return -1
        if children in ready:
            _read(children)
        status = dict(_ended()).get(program, status)
        # A shell ends at SIGTERM while its program still saves.
        if status is not None and not (is_terminating and _has_group(program)):
            return status


def _has_group(program: int) -> bool:
    """Say whether a process of the program's group is left."""
    return any(_stat(pid)[2:3] == [str(program)] for pid in descendants(os.getpid()))


def _ended() -> list[tuple[int, int]]:
    """Collect the children that have ended."""
    found = []
    try:
        while (child := os.waitpid(-1, os.WNOHANG))[0]:
            found.append(child)
    except ChildProcessError:
        pass
    return found


def _kill_all() -> None:
    """Kill every process that the program has left; those that start meanwhile, too."""
    try:
        while True:
            for pid in descendants(os.getpid()):
                _send(os.kill, pid, signal.SIGKILL)
            os.waitpid(-1, 0)
    except ChildProcessError:
        pass


def _send(send: "Callable[[int, int], None]", target: int, number: int) -> None:
    try:
        send(target, number)
    except OSError:  # it is gone, or another user's
        pass


def _read(file: int) -> bytes:
    """Read what is there; nothing where the other end is gone."""
    try:
        return os.read(file, 4096)
    except OSError:
        return b""


def _tell(control: int, line: str) -> None:
    try:
        os.write(control, line.encode() + b"\n")
    except OSError:  # the worker is gone
        pass


def _parent(pid: int) -> int:
    return int((_stat(pid) or ["", "0"])[1])


def _stat(pid: int) -> list[str]:
    """Return the fields of a process from its state on, which is the third; [] if it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].decode().split()
    except OSError:
        return []


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
