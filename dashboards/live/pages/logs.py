"""The page of logs: the last lines of each worker's log on this machine."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request

from dashboards.analysis.overview import Overview
from dashboards.live.source import Source

LINES, BYTES = 200, 60_000
MOST_FILES = 32


@dataclass(frozen=True, kw_only=True)
class Log:
    """The end of one log; is_cut says whether there is more before it."""

    name: str
    path: str
    lines: Sequence[str]
    is_cut: bool


@dataclass(frozen=True)
class LogsPage:
    """The logs of this machine, and the workers whose logs lie on others."""

    logs: Sequence[Log]
    elsewhere: Sequence[str]


def logs_page(source: Source, overview: Overview, request: Request) -> LogsPage:
    """Read the ends of a study's logs."""
    folder, here = source.logs / overview.study.name, os.uname().nodename
    files = sorted(folder.glob("*.log"), key=_age)[:MOST_FILES]
    others = {worker.host for worker in overview.workers if worker.host != here}
    # A machine that shares the home has its logs here, too.
    elsewhere = sorted(host for host in others if not (folder / f"{host}-run.log").exists())
    return LogsPage(list(_logs(files)), elsewhere)


def _logs(files: Sequence[Path]) -> Iterator[Log]:
    for path in files:
        try:
            with path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - BYTES))
                text = file.read().decode("utf-8", "replace")
        except OSError:  # removed meanwhile, or not ours to read
            continue
        lines = text.splitlines()
        is_cut = size > BYTES or len(lines) > LINES
        yield Log(name=path.stem, path=str(path), lines=lines[-LINES:], is_cut=is_cut)


def _age(path: Path) -> float:
    try:
        return -path.stat().st_mtime
    except OSError:
        return 0.0
