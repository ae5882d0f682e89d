"""Tables are read by people on terminals and by grep behind a pipe."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from search.page import page
from search.status import print_status
from storage.store import Store
from tests.search.toy_worker import make_worker

NAME = "a-study-with-quite-a-long-name"


def test_behind_a_pipe_no_line_is_broken(capsys: pytest.CaptureFixture[str]) -> None:
    page().print("word " * 50, end="")

    assert capsys.readouterr().out.count("\n") == 0


def test_a_narrow_terminal_shows_the_whole_name_of_a_study(store: Store, tmp_path: Path) -> None:
    make_worker(store, tmp_path, name=NAME)
    narrow = Console(file=io.StringIO(), width=80)
    with narrow.capture() as capture:
        print_status(store, None, as_json=False, console=narrow)

    assert NAME in capture.get()
