"""One fresh process, timed after its imports; `python -m benchmarks.engine.fresh KIND ARGUMENT...`.

ours URL HOME: open the store, register, claim a trial and draw its values, up to the moment at
    which training would begin.
plain URL HOME: the same with plain Optuna.
status WORD...: `search status` with these words, its output thrown away.

The last line of the output is JSON: the seconds of the imports and of the rest, the milliseconds
of this process's CPU and of the server's for it, and the peak of memory.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from typing import NoReturn

started = time.perf_counter()


def main() -> None:
    """Do one thing and print what it took."""
    kind, *words = sys.argv[1:]
    run = {"ours": _ours, "plain": _plain, "status": _status}[kind](words)
    imported = time.perf_counter()
    before = time.process_time()
    with ExitStack() as stack:
        served = run(stack)
        taken = {
            "import_seconds": imported - started,
            "seconds": time.perf_counter() - imported,
            "client_ms": (time.process_time() - before) * 1000,
        }
        from benchmarks.engine.clock import cpu_ms, peak_mb

        print(json.dumps({**taken, "server_ms": cpu_ms(served()), "peak_mb": peak_mb()}))
    sys.stdout.flush()
    os._exit(0)  # what takes place at the end of a process is not measured


Run = Callable[[ExitStack], Callable[[], list[int]]]


def _ours(words: list[str]) -> Run:
    from benchmarks.engine.clock import backends
    from benchmarks.engine.study import Place, our_worker, whole_trial

    class Begun(BaseException):
        """Raised where training begins."""

    def begin(*_: object) -> NoReturn:
        raise Begun

    def run(stack: ExitStack) -> Callable[[], list[int]]:
        url, home = words
        worker = stack.enter_context(our_worker(Place(url, Path(home))))
        try:
            whole_trial(worker, begin)
        except Begun:
            return lambda: backends(url)
        raise RuntimeError("the trial never began")

    return run


def _plain(words: list[str]) -> Run:
    import optuna

    from benchmarks.engine.clock import backends
    from benchmarks.engine.study import STUDY, Place, plain_study

    def run(stack: ExitStack) -> Callable[[], list[int]]:
        url, home = words
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = stack.enter_context(plain_study(Place(url, Path(home))))
        STUDY.space.suggest(study.ask())
        return lambda: backends(url)

    return run


def _status(words: list[str]) -> Run:
    # The modules of the command, as `search` loads them before it begins.
    import search.commands.status
    import search.dispatch  # noqa: F401
    from search.cli import main

    def run(_: ExitStack) -> Callable[[], list[int]]:
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
            code = main(["status", *words])
        if code:
            raise RuntimeError(f"`search status` ended with {code}")
        return list

    return run


if __name__ == "__main__":
    main()
