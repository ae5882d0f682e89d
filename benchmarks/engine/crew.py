"""Several processes that work on one study at once; each is started once and told what to do."""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from benchmarks.engine.study import SIDES, Place


class Crew:
    """Processes that were started and wait for work."""

    def __init__(self, members: list[Connection]) -> None:
        self._members = members

    def work(self, side: str, place: Place, count: int, seconds: float) -> float:
        """Let the first `count` processes take turn after turn for so many seconds, all at once.

        Returns the turns a second of all of them together.

        side: a name in SIDES.
        """
        members = self._members[:count]
        for member in members:
            member.send((side, place, seconds))
        for member in members:
            _answer(member)  # it has taken its first turn
        for member in members:
            member.send("go")
        return sum(float(_answer(member)) for member in members)


@contextmanager
def crew(count: int) -> Iterator[Crew]:
    """Yield that many processes, which end with the block.

    They are forked from one that has only imported what they need: 32 imports take a minute.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.engine.study"])
    pipes = [context.Pipe() for _ in range(count)]
    processes = [context.Process(target=_serve, args=(end,), daemon=True) for _, end in pipes]
    for process in processes:
        process.start()
    try:
        yield Crew([end for end, _ in pipes])
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _answer(member: Connection) -> object:
    answer = member.recv()
    if isinstance(answer, Exception):
        raise answer
    return answer


def _serve(parent: Connection) -> None:
    """Take turns as the parent says, until it ends this process."""
    while True:
        side, place, seconds = parent.recv()
        try:
            with SIDES[side](place) as turn:
                turn()
                parent.send("ready")
                parent.recv()
                turns, started = 0, time.perf_counter()
                while time.perf_counter() < started + seconds:
                    turn()
                    turns += 1
                # Over its own time, since the last turn is finished and not cut.
                parent.send(turns / (time.perf_counter() - started))
        except Exception as error:  # noqa: BLE001 - the parent raises it
            parent.send(RuntimeError(f"{type(error).__name__}: {error}"))
