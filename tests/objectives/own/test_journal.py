"""The journal of an author's own code: what was reported is there, whatever ends the process."""

import errno
import math
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from objectives.contract import Attempt, ContractError, DataSource, EpochResult, Repeated
from objectives.files import disk
from objectives.own.journal import JOURNAL, journaled, read_journal
from objectives.script.reports import REPORTS, whole_reports

NOWHERE = DataSource(layout={"kind": "none"})
ODD = {"nan": math.nan, "up": math.inf, "down": -math.inf, "tiny": 5e-324, "sum": 0.1 + 0.2}


def attempt(home: Path, number: int, **changes: Any) -> Attempt:
    """The attempt of that number, with all that were before it."""
    folders = [home / f"attempt-{each}" for each in range(1, number + 1)]
    folders[-1].mkdir(exist_ok=True)
    given = {"folder": folders[-1], "earlier": tuple(folders[:-1]), "data": NOWHERE}
    return Attempt(**given | changes)


def play(this: Attempt, *losses: float, first: int = 1) -> list[EpochResult]:
    """Let code train these epochs and yield each, from `first` on."""

    def train(config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
        for epoch, loss in enumerate(losses, start=first):
            yield EpochResult(epoch=epoch, metrics={"val_loss": loss})

    return list(journaled(train)({}, this))


def shown(results: list[EpochResult]) -> list[tuple[int, float]]:
    return [(result.epoch, result.metrics["val_loss"]) for result in results]


def test_a_result_is_in_the_journal_before_it_is_yielded(tmp_path: Path) -> None:
    this = attempt(tmp_path, 1)

    def train(config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
        yield EpochResult(epoch=1, metrics=ODD, seconds=2.0, images=2**40)

    (result,) = journaled(train)({}, this)
    assert str(read_journal(this.folder)) == str({1: result})
    assert str(result.metrics) == str(ODD)


def test_code_that_goes_on_yields_what_was_before(tmp_path: Path) -> None:
    play(attempt(tmp_path, 1), 0.9, 0.8, 0.7)
    results = play(attempt(tmp_path, 2), 0.5, 0.4, first=3)
    assert shown(results) == [(1, 0.9), (2, 0.8), (3, 0.5), (4, 0.4)]
    assert [isinstance(result, Repeated) for result in results] == [True, True, False, False]
    assert shown([*read_journal(tmp_path / "attempt-2").values()]) == shown(results)


def test_code_with_nothing_left_to_train_yields_all_that_was_before(tmp_path: Path) -> None:
    play(attempt(tmp_path, 1), 0.9, 0.8)
    assert shown(play(attempt(tmp_path, 2))) == [(1, 0.9), (2, 0.8)]


def test_code_that_starts_over_yields_nothing_of_before(tmp_path: Path) -> None:
    play(attempt(tmp_path, 1), 0.9, 0.8)
    assert shown(play(attempt(tmp_path, 2), 0.7)) == [(1, 0.7)]


def test_the_course_is_that_of_the_files_that_the_code_goes_on_from(tmp_path: Path) -> None:
    play(attempt(tmp_path, 1), 0.9, 0.8)
    play(attempt(tmp_path, 2), 0.5, 0.4)
    this = attempt(tmp_path, 3, resume_from=tmp_path / "attempt-1")
    assert shown(play(this, 0.1, first=3)) == [(1, 0.9), (2, 0.8), (3, 0.1)]


def test_the_journal_of_an_attempt_that_came_less_far_is_passed_over(tmp_path: Path) -> None:
    play(attempt(tmp_path, 1), 0.9, 0.8, 0.7)
    play(attempt(tmp_path, 2), 0.5)
    attempt(tmp_path, 3)
    assert shown(play(attempt(tmp_path, 4), 0.1, first=4))[:3] == [(1, 0.9), (2, 0.8), (3, 0.7)]


def test_epochs_of_another_machine_are_left_to_the_database(tmp_path: Path) -> None:
    play(attempt(tmp_path, 2), 0.5, 0.4, first=4)
    assert shown(play(attempt(tmp_path, 3), 0.1, first=6)) == [(4, 0.5), (5, 0.4), (6, 0.1)]
    assert shown(play(attempt(tmp_path, 4), 0.1, first=9)) == [(9, 0.1)]


@pytest.mark.parametrize("torn", [b'{"epoch": 3, "metr', b"\0" * 50, b"\xff\n", b"[]\n", b'"3"\n'])
def test_a_torn_last_line_is_ignored(tmp_path: Path, torn: bytes) -> None:
    play(attempt(tmp_path, 1), 0.9, 0.8)
    with (tmp_path / "attempt-1" / JOURNAL).open("ab") as file:
        file.write(torn)
    assert shown(play(attempt(tmp_path, 2), 0.1, first=3)) == [(1, 0.9), (2, 0.8), (3, 0.1)]


def test_what_a_killed_worker_had_not_read_of_its_script_is_not_lost(tmp_path: Path) -> None:
    play(attempt(tmp_path, 1), 0.9, 0.8)
    lines = ['{"epoch": 2, "val_loss": 0.1}', '{"epoch": 3, "val_loss": 0.7}', '{"epoch": 4']
    (tmp_path / "attempt-1" / REPORTS).write_text("\n".join(lines))

    def train(config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
        yield EpochResult(epoch=4, metrics={"val_loss": 0.6})

    results = list(journaled(train, whole_reports)({}, attempt(tmp_path, 2)))
    assert shown(results) == [(1, 0.9), (2, 0.8), (3, 0.7), (4, 0.6)]


def test_seconds_that_the_code_leaves_open_are_measured(tmp_path: Path) -> None:
    def train(config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
        yield EpochResult(epoch=1, metrics={})
        yield EpochResult(epoch=2, metrics={}, seconds=7.0)

    first, second = journaled(train)({}, attempt(tmp_path, 1))
    assert 0 < first.seconds < 7
    assert second.seconds == 7


def test_who_stops_at_a_repeated_epoch_loses_none(tmp_path: Path) -> None:
    play(attempt(tmp_path, 1), 0.9, 0.8)

    def train(config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
        yield EpochResult(epoch=3, metrics={"val_loss": 0.7})

    results = journaled(train)({}, attempt(tmp_path, 2))
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert shown(play(attempt(tmp_path, 3), 0.6, first=4))[2] == (3, 0.7)


def test_what_is_refused_is_not_in_the_journal(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="val_loss of epoch 1 is None"):
        play(attempt(tmp_path, 1), None)  # type: ignore[arg-type]
    assert read_journal(tmp_path / "attempt-1") == {}


def test_a_full_disk_is_waited_out_without_half_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit of a file's size stands for the disk: a part of the line is written first."""
    this = attempt(tmp_path, 1)
    before, action = resource.getrlimit(resource.RLIMIT_FSIZE), signal.getsignal(signal.SIGXFSZ)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    monkeypatch.setattr(disk, "FULL", (errno.EFBIG,))
    monkeypatch.setattr(disk, "RETRY_SECONDS", 0.01)

    def make_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    def train(config: Mapping[str, Any], attempt: Attempt) -> Iterator[EpochResult]:
        yield EpochResult(epoch=1, metrics={"val_loss": 0.9})
        size = (this.folder / JOURNAL).stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, before[1]))
        yield EpochResult(epoch=2, metrics={"val_loss": 0.8})

    full = Attempt(folder=this.folder, data=NOWHERE, progress=make_room)
    try:
        results = list(journaled(train)({}, full))
    finally:
        make_room()
        signal.signal(signal.SIGXFSZ, action)
    assert shown([*read_journal(this.folder).values()]) == shown(results)


KILLED = """
import os, signal, sys
from pathlib import Path
from objectives.contract import Attempt, DataSource, EpochResult
from objectives.own.journal import journaled

def train(config, attempt):
    for epoch in range(1, 1000):
        yield EpochResult(epoch=epoch, metrics={"val_loss": 1 / epoch})

attempt = Attempt(folder=Path(sys.argv[1]), data=DataSource(layout={"kind": "none"}))
for result in journaled(train)({}, attempt):
    print(result.epoch, flush=True)
"""


def test_no_result_that_was_yielded_is_lost_by_a_kill(tmp_path: Path) -> None:
    folder = attempt(tmp_path, 1).folder
    command = [sys.executable, "-c", KILLED, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    for _ in range(20):
        process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    seen = 20 + len(process.stdout.read().split())
    process.communicate()
    assert list(read_journal(folder))[:seen] == list(range(1, seen + 1))
