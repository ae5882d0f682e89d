"""The tables that commands print: for a terminal, and for grep behind a pipe."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from search.cli import main
from search.terminal.console import page, with_bar
from search.terminal.status import print_status
from storage.store import Store
from tests.search.toy_worker import make_worker
from tests.storage.samples import new_worker

NAME = "a-study-with-quite-a-long-name"


def test_behind_a_pipe_no_line_is_broken(capsys: pytest.CaptureFixture[str]) -> None:
    page().print("word " * 50, end="")

    assert capsys.readouterr().out.count("\n") == 0


def test_a_reader_who_has_gone_is_no_failure() -> None:
    gone, pipe = os.pipe()
    os.close(gone)
    command = [sys.executable, "-P", "-m", "search.cli", "parameters"]
    try:
        ended = subprocess.run(command, stdout=pipe, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(pipe)

    assert (ended.returncode, ended.stderr) == (0, b"")


def test_a_narrow_terminal_shows_the_whole_name_of_a_study(store: Store, tmp_path: Path) -> None:
    make_worker(store, tmp_path, name=NAME)
    narrow = Console(file=io.StringIO(), width=80)
    with narrow.capture() as capture:
        print_status(store, None, as_json=False, console=narrow)

    assert NAME in capture.get()


@pytest.mark.parametrize(("is_at_work", "remark"), [(True, "stopping"), (False, "stopped")])
def test_a_study_without_workers_is_stopped_and_not_about_to(
    store: Store, tmp_path: Path, is_at_work: bool, remark: str
) -> None:
    worker = make_worker(store, tmp_path)
    store.request_stop("toy", "drain")
    if not is_at_work:
        store.worker_ended(worker.name, 75, "")
    wide = Console(file=io.StringIO(), width=200)
    with wide.capture() as capture:
        print_status(store, None, as_json=False, console=wide)

    assert remark in [cell.strip() for cell in capture.get().split("  ")]


def test_status_names_what_was_pinned(store: Store, tmp_path: Path) -> None:
    make_worker(store, tmp_path, pins={"learning_rate": 0.01})
    wide = Console(file=io.StringIO(), width=200)
    with wide.capture() as capture:
        print_status(store, "toy", as_json=False, console=wide)

    assert "pinned: learning_rate 0.01" in capture.get()


@pytest.mark.parametrize(("is_at_work", "says"), [(True, "stops after"), (False, "no worker")])
def test_stop_does_not_promise_an_end_where_no_worker_runs(
    store: Store,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    is_at_work: bool,
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEARCH_DATABASE_URL", database_url)
    worker = make_worker(store, tmp_path)
    if not is_at_work:
        store.worker_ended(worker.name, 0, "")

    assert main(["stop", "--study", "toy"]) == 0
    assert says in capsys.readouterr().out


@pytest.mark.parametrize("width", [10, 40, 80])
def test_a_terminal_of_any_width_shows_every_value_whole(
    store: Store, tmp_path: Path, width: int
) -> None:
    worker = make_worker(store, tmp_path, name=NAME)
    store.register_worker(NAME, new_worker("a-worker-of-a-long-name", device="cuda:0"))
    assert store.claim(NAME, worker.name, lease_seconds=30)
    narrow = Console(file=io.StringIO(), width=width)
    for study in (None, NAME):
        with narrow.capture() as capture:
            print_status(store, study, as_json=False, console=narrow)
        told = capture.get()

        assert "…" not in told
        assert NAME in told


def test_steps_are_told_line_by_line_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert list(with_bar(range(3), "trial 2", 3)) == [0, 1, 2]

    assert capsys.readouterr().err == "trial 2: 1 of 3\n"
