"""Work that is done once, in several processes, and kept for the next time."""

import hashlib
import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from functools import cache
from importlib import import_module
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol, TypeVar

import optuna

PACKAGES = ("optuna", "numpy", "scipy", "torch")
Found = dict[str, Any]


class Job(Protocol):
    """A piece of work, a frozen dataclass of plain values."""

    @property
    def file(self) -> str:
        """The file in which its result is kept, named after the code that it depends on."""
        ...

    def run(self) -> Found:
        """Do it, and return the result as JSON holds it."""
        ...


J = TypeVar("J", bound=Job)


def run_all(jobs: Sequence[J], kept: Path, processes: int) -> dict[J, Found]:
    """Do the jobs whose results are not kept yet, and keep them.

    kept: a folder, with a line per job in the jobs' files.
    """
    done = _read(jobs, kept)
    left = [job for job in dict.fromkeys(jobs) if job not in done]
    if not left:
        return done
    print(f"{len(done)} of {len(jobs)} are kept, {len(left)} to do", file=sys.stderr, flush=True)
    started = time.monotonic()
    for place, (job, found) in enumerate(_results(left, processes), 1):
        done[job] = found
        _keep(job, found, kept)
        if place % 100 == 0:
            passed = time.monotonic() - started
            print(f"{place} of {len(left)}, {passed:.0f} s", file=sys.stderr, flush=True)
    return done


@cache
def state_of(patterns: tuple[str, ...], text: str = "") -> str:
    """Return a short hash of files, of a text, and of the packages that results depend on.

    patterns: of the files' paths, beginning with their package.
    """
    digest = hashlib.sha256(text.encode())
    for pattern in patterns:
        package, _, below = pattern.partition("/")
        for path in sorted(Path(import_module(package).__path__[0]).glob(below)):
            digest.update(path.read_bytes())
    for package in PACKAGES:
        digest.update(version(package).encode())
    return digest.hexdigest()[:12]


def _results(jobs: Sequence[J], processes: int) -> Iterator[tuple[J, Found]]:
    """Do the jobs, and yield each with its result once it is done."""
    if processes == 1:
        yield from ((job, job.run()) for job in jobs)
        return
    # spawn: a fork would copy the threads of numpy and torch.
    context, quiet = get_context("spawn"), optuna.logging.set_verbosity
    with ProcessPoolExecutor(processes, context, quiet, (optuna.logging.WARNING,)) as pool:
        waiting = {pool.submit(_run, job): job for job in jobs}
        yield from ((waiting[future], future.result()) for future in as_completed(waiting))


def _run(job: Job) -> Found:
    return job.run()


def _read(jobs: Iterable[J], kept: Path) -> dict[J, Found]:
    wanted = {json.dumps(_plain(job)): job for job in jobs}
    found = {}
    for path in {kept / job.file for job in wanted.values()}:
        for line in path.read_text().splitlines() if path.exists() else ():
            written = json.loads(line)
            if job := wanted.get(json.dumps(written["job"])):
                found[job] = written["found"]
    return found


def _keep(job: Job, found: Found, kept: Path) -> None:
    path = kept / job.file
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps({"job": _plain(job), "found": found}) + "\n")


def _plain(job: Job) -> dict[str, Any]:
    return asdict(job)  # type: ignore[call-overload, no-any-return]
