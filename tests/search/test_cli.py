"""Bad input: one line on stderr that ends with the fix, exit code 2, nothing written."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from search.cli import main
from search.start import ROOT
from search.worker.loop import work
from storage.store import Store
from tests.madeup.gpus import MadeUp, MadeUpGpus, uuid
from tests.search.toy_worker import make_worker

TOY = """
from spaces.params import Float
from spaces.study import Study
study = Study(name="toy", objective="toy_curve", metric="val_loss", direction="minimize", trials=2,
    fixed={"seconds_per_epoch": 0.0}, space=[Float("learning_rate", 1e-5, 1.0, log=True)])
"""


def search(*words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Type a command in a folder with a home of its own.

    In this process: most of the time of one more would be its imports.
    """
    told, noted = StringIO(), StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(told), redirect_stderr(noted):
        patch.chdir(folder)
        for name in [name for name in os.environ if name.startswith("SEARCH_")]:
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        returned = main(words)
    return subprocess.CompletedProcess(words, returned, told.getvalue(), noted.getvalue())


def process(
    *words: str, folder: Path, code: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Type a command in a process of its own, or run code that does."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SEARCH_")}
    program = ["-c", code] if code else ["-m", "search.cli", *words]
    return subprocess.run(
        [sys.executable, "-P", *program],
        cwd=folder,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def refusal(*words: str, folder: Path, code: int = 2, **environment: str) -> str:
    """The single line with which a command refuses; it leaves the folder as it was."""
    before = sorted(folder.rglob("*"))
    done = search(*words, folder=folder, **environment)
    assert done.returncode == code, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert sorted(folder.rglob("*")) == before
    return done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "toy.py").write_text(TOY)
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("run --study gleeson", "did you mean 'gleason'"),
        ("run --study mine.py", "search init mine.py"),
        ("run --study gleason", "search data make gleason"),
        ("run --study gleason --data nowhere", "--data DIR"),
        ("plan --study toy.py --workers 0", "at least 1"),
        ("run --study toy.py --trials none", "at least 1"),
        ("run --study toy.py --workers 99999999999999999999", "at least 0"),
        ("run --study toy.py --set learning_rate", "--set batch_size=64"),
        ("run --study toy.py --set lr=0.1", "did you mean 'learning_rate'"),
        ("run --study toy.py --as My/Study", "use a-z"),
        ("retrain best.yaml", "search export"),
        ("init toy.py", "choose another name"),
        ("run --study toy.py --as=", "use a-z"),
        ("run --study gleason --data=", "the path is empty"),
        ("run --studdy toy.py", "--study"),
        ("stauts", "did you mean 'status'"),
        ("data mkae gleason --out new", "did you mean 'make'"),
        ("export --study toy --out results/", "name a file in it"),
        ("init .", "name a file in it"),
        ("status --study tyo.py", "search init tyo.py"),
        ("status --studdy toy", "did you mean --study? see `search status --help`"),
        ("status --studdy=toy", "did you mean --study? see `search status --help`"),
        ("status toy", "unrecognized arguments: toy; see `search status --help`"),
        ("status --study toy", "start one, such as `search run --study digits`"),
        ("run --study ct_lungs", "give the path of a study file, my_study.py, or one of the"),
        ("status --study=", "no study ''"),
        ("", "COMMAND"),
    ],
)
def test_bad_input_is_one_line_with_the_fix(folder: Path, words: str, says: str) -> None:
    assert says in refusal(*words.split(), folder=folder)


@pytest.mark.parametrize(
    ("words", "search"),
    [
        ("check --study tyo.py --json", search),
        ("check --study toy.py --set learning_rate --json", search),
        ("plan --study toy.py --workers none --json", search),
        ("parameters --objective toi_curve --json", search),
        ("status --study toy --json", search),
        ("chaos --faults none --json", search),
        ("stauts --json", search),
        ("stauts --json", process),
    ],
)
def test_a_program_reads_an_error_as_json(
    folder: Path, words: str, search: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = search(*words.split(), folder=folder)

    told = json.loads(done.stdout)
    assert done.returncode == 2
    assert done.stderr == f"search: {told['error']}; {told['fix']}\n"


def test_a_study_without_data_is_checked_without_a_table_of_classes(folder: Path) -> None:
    done = search("check", "--study", "toy.py", folder=folder)

    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "no rule is broken")
    assert "class" not in done.stdout


def test_stopping_a_database_that_is_down_says_so(folder: Path) -> None:
    done = search("database", "stop", folder=folder)

    assert (done.returncode, done.stdout) == (0, "no database was running\n")


def test_a_place_that_a_program_cannot_use_is_json(folder: Path) -> None:
    refused = search("check", "--study", "toy.py/x.py", "--json", folder=folder)

    assert set(json.loads(refused.stdout)) == {"error", "fix"}


def test_an_empty_data_folder_is_refused(folder: Path) -> None:
    line = refusal("run", "--study", "gleason", "--data", "empty", folder=folder)

    assert "empty" in line


def test_data_of_one_class_is_refused(folder: Path) -> None:
    for number in range(20):
        name = f"{number:06d}-multires.tif_1_1_240_250_0.png"
        (folder / "empty" / name).write_bytes(b"")

    assert "class" in refusal("run", "--study", "gleason", "--data", "empty", folder=folder)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (TOY + "study = Study(", "was never closed"),
        (TOY.replace('"learning_rate"', '"learning_rat"'), "did you mean 'learning_rate'"),
        (TOY.replace("minimize", "maximize"), "change the direction or the metric"),
        ("study = 3", "study = Study(...)"),
    ],
)
def test_a_broken_study_file_is_refused(folder: Path, text: str, says: str) -> None:
    (folder / "toy.py").write_text(text)

    assert says in refusal("run", "--study", "toy.py", folder=folder)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite:///study.db", "Postgres is the only database"),
        ("not a url", "postgresql://"),
        ("postgresql://me:secret@127.0.0.1:1/search", "127.0.0.1"),
    ],
)
def test_a_database_that_cannot_be_used_is_named_without_its_password(
    folder: Path, url: str, says: str
) -> None:
    line = refusal("status", folder=folder, SEARCH_DATABASE_URL=url)

    assert says in line
    assert "secret" not in line


def test_a_run_on_a_database_that_is_away_writes_nothing(folder: Path) -> None:
    words, url = ("run", "--study", "toy.py"), "postgresql://me@127.0.0.1:1/search"

    assert "127.0.0.1" in refusal(*words, folder=folder, SEARCH_DATABASE_URL=url)


def test_deleting_asks_first(folder: Path, database_url: str) -> None:
    with Store.open(database_url) as store:
        assert work(make_worker(store, folder / ".search", trials=2)) == 0
    place = {"folder": folder, "SEARCH_DATABASE_URL": database_url}
    assert (folder / ".search" / "studies" / "toy").exists()

    assert "2 trials" in refusal("delete", "toy.py", **place)
    known = search("status", "--study", "toy.py", **place)
    deleted = search("delete", "toy", "--yes", **place)

    assert known.stdout.startswith("toy · val_loss")
    assert (known.returncode, deleted.returncode) == (0, 0)
    assert not (folder / ".search" / "studies" / "toy").exists()
    assert "toy" in refusal("status", "--study", "toy", **place)


@pytest.mark.parametrize(
    "name", ["my_study.py", "my.study.py", "_Größe (2).py", "研究.py", "a b/v1.2"]
)
def test_a_written_study_file_is_a_study(tmp_path: Path, name: str) -> None:
    (tmp_path / "a b").mkdir()
    written = search("init", name, folder=tmp_path)
    next_words = shlex.split(written.stdout.partition("Next: search ")[2])
    checked = search(*next_words[:3], "--rules-only", folder=tmp_path)

    assert (written.returncode, checked.returncode) == (0, 0), checked.stderr


@pytest.mark.parametrize(
    "words",
    ["data make gleason --out toy.py", "retrain empty", "init toy.py/mine.py"],
)
def test_a_place_that_cannot_be_used_is_one_line(folder: Path, words: str) -> None:
    assert words.split()[-1].split("/")[0] in refusal(*words.split(), folder=folder)


def test_a_file_as_home_is_one_line(folder: Path) -> None:
    words = ("run", "--study", "toy.py", "--no-dashboard")

    assert "choose another" in refusal(*words, folder=folder, SEARCH_HOME="toy.py")


def test_a_full_disk_keeps_no_worker_from_ending_by_its_error(tmp_path: Path) -> None:
    worker = ("worker", "--study", "toy", "--reason-file", "/dev/full")
    assert "SEARCH_LEASE_SECONDS" in refusal(*worker, folder=tmp_path, SEARCH_LEASE_SECONDS="never")


def test_a_worker_leaves_an_error_that_names_a_file_in_another_encoding(tmp_path: Path) -> None:
    home, reason = tmp_path / "caf\udce9", tmp_path / "worker.reason"
    home.write_text("")
    worker = ("worker", "--study", "toy", "--reason-file", str(reason))
    done = process(*worker, folder=tmp_path, SEARCH_HOME=str(home))
    assert done.returncode == 2, done.stderr
    assert reason.read_text() + "\n" == done.stderr


def test_a_thread_that_goes_on_keeps_no_command_from_its_end(tmp_path: Path) -> None:
    code = (
        "import runpy, sys, threading, time; sys.argv = ['search', '--help'];"
        "threading.Thread(target=time.sleep, args=(999,)).start();"
        "runpy.run_module('search.cli', run_name='__main__')"
    )
    done = process(folder=tmp_path, code=code)
    assert (done.returncode, "usage: search" in done.stdout) == (0, True), done.stderr


def test_a_signal_at_the_very_end_changes_no_exit_code(tmp_path: Path) -> None:
    code = (  # TERM, as a scheduler sends it beside a supervisor, when Python has let go of it
        "import ctypes, runpy, sys; sys.argv = ['search', 'check']; libc = ctypes.CDLL(None);"
        f"libc['__cxa_atexit'](libc['raise'], {int(signal.SIGTERM)}, None);"
        "runpy.run_module('search.cli', run_name='__main__')"
    )
    done = process(folder=tmp_path, code=code, SEARCH_SETTLED=ROOT)
    assert done.returncode == 2, done.stderr


def test_the_worker_of_a_lost_gpu_does_not_wait_for_what_cuda_does_at_its_end(
    made_up_gpus: MadeUpGpus, tmp_path: Path
) -> None:
    made_up_gpus.put(MadeUp(uuid(1), "lost"))
    code = (
        "import atexit, runpy, sys, time; sys.argv = 'search worker --study toy'.split();"
        "atexit.register(time.sleep, 999);"
        "runpy.run_module('search.cli', run_name='__main__')"
    )
    done = process(folder=tmp_path, code=code, **made_up_gpus.environment("0"))
    assert done.returncode == 76
    assert "CUDA_VISIBLE_DEVICES is 0 on " in done.stderr
