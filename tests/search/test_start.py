"""A command starts the same in every environment: Python's variables, streams, folders, locales."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from search.cli import main
from search.start import ROOT, settled

STUDY = """
from spaces.data import ClassFolders
from spaces.params import Float
from spaces.study import Study
study = Study(name="field", objective="image_classifier", metric="val_loss", direction="minimize",
    trials=2, data=ClassFolders(), fixed={"epochs": 5},
    space=[Float("learning_rate", 1e-5, 1e-2, log=True)])
"""
# As `search` is started where it is installed, on a machine of the user's.
PROGRAM = f"import sys; sys.path.insert(0, {ROOT!r}); from search_program import main; main()"


def search(*words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Type a command, with these variables in the place of this process's own."""
    return shell(f'exec "$0" -P -c "$1" {" ".join(words)}', folder=folder, **environment)


def shell(line: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of the shell in which "$0" is Python and "$1" the program."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        ["sh", "-c", line, sys.executable, PROGRAM],
        cwd=folder,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A folder of somebody's modules that have the names of ours, of libraries and of Python's."""
    lab = tmp_path / "lab"
    (lab / "objectives").mkdir(parents=True)
    for name in ("search", "storage", "spaces", "objectives/__init__", "dashboards", "yaml"):
        (lab / f"{name}.py").write_text("raise SystemExit('a module of the lab')")
    (lab / "statistics.py").write_text("raise SystemExit('a module of the lab')")
    (lab / "ours.py").write_text("RATE = 1e-5")
    return lab


def test_modules_of_the_lab_are_found_and_never_in_the_place_of_ours(lab: Path) -> None:
    (lab.parent / "study.py").write_text(f"import ours\n{STUDY.replace('1e-5', 'ours.RATE')}")
    words = ("check", "--study", "study.py", "--rules-only", "--json")

    for variables in ({"PYTHONPATH": str(lab)}, {"PYTHONPATH": ""}):
        done = search(*words, folder=lab.parent, **variables)

        assert "module of the lab" not in done.stderr
        assert (done.returncode == 0) == bool(variables["PYTHONPATH"]), done.stderr


def test_the_labs_modules_come_last_and_the_standard_library_first() -> None:
    environment = {"PYTHONPATH": "/lab:/site-packages", "PYTHONWARNINGS": "error", "X": "1"}
    path = ["/bin", "/lab", "/python3.11", "/python3.11/site-packages"]
    if sys.flags.safe_path:
        del path[0]

    found = settled(environment, path)

    order = ["/python3.11", ROOT, "/python3.11/site-packages", "/lab", "/site-packages"]
    assert found["PYTHONPATH"].split(os.pathsep) == order
    assert "PYTHONWARNINGS" not in found
    assert (found["X"], found["PYTHONUTF8"]) == ("1", "1")


@pytest.mark.parametrize(
    "variables",
    [
        {
            "PYTHONOPTIMIZE": "2",
            "PYTHONWARNINGS": "error",
            "PYTHONIOENCODING": "utf-16",
            "PYTHONINSPECT": "1",
        },
        {
            "COLUMNS": "text",
            "TERM": "nonsense",
            "TMPDIR": "/nowhere",
            "OMP_NUM_THREADS": "²",
            "LC_ALL": "nonsense",
            "HOME": "/nowhere",
        },
    ],
)
def test_no_variable_ends_a_command(tmp_path: Path, variables: dict[str, str]) -> None:
    (tmp_path / "study.py").write_text(STUDY)

    done = search("check --study study.py --rules-only", folder=tmp_path, **variables)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_folder_is_the_same_manifest_in_every_locale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for label in ("gesund", "müde"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(12):
            shade = 20 * number + len(label)
            Image.new("L", (16, 16), shade).save(tmp_path / "data" / label / f"größe {number}.png")
    (tmp_path / "study.py").write_text(STUDY)
    words = "check --study study.py --data data --no-throughput --json"

    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    other = json.loads(search(words, folder=tmp_path, **ascii_only).stdout)
    monkeypatch.chdir(tmp_path)
    main(words.split())  # this process reads UTF-8
    plain = json.loads(capsys.readouterr().out)

    assert plain["fingerprint"] == other["fingerprint"]
    assert plain["data"]["classes"] == other["data"]["classes"] == ["gesund", "müde"]


def test_a_process_that_reads_names_in_another_encoding_lists_no_folder(tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from objectives.contract import DataError, DataSource
from objectives.data.layouts.folder import image_folder
try:
    image_folder(DataSource(folder=Path({str(tmp_path)!r}), layout={{}}))
except DataError as error:
    print(error)
"""
    variables = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **variables, "PYTHONPATH": ROOT},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == "this process reads file names in ascii; start Python with -X utf8\n"


def test_a_folder_that_was_removed_is_one_line(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()

    done = shell(f'rmdir {gone}; exec "$0" -P -c "$1" parameters', folder=gone)

    line = "search: the folder in which you are was removed; change to another one and try again\n"
    assert (done.returncode, done.stderr) == (2, line)


@pytest.mark.parametrize(
    ("streams", "code"),
    [("<&- >&- 2>&-", 0), ("2>/dev/full", 0), (">/dev/full", 2), (">/dev/full 2>/dev/full", 2)],
)
def test_streams_that_are_closed_or_full_end_no_command_by_a_traceback(
    tmp_path: Path, streams: str, code: int
) -> None:
    (tmp_path / "study.py").write_text(STUDY)

    done = shell(
        f'"$0" -P -c "$1" check --study study.py --rules-only --json {streams}', folder=tmp_path
    )

    assert done.returncode == code
    assert done.stderr.count("\n") == (1 if streams == ">/dev/full" else 0)


def test_a_machine_without_room_for_temporary_files_is_one_line() -> None:
    code = """
import sys, tempfile, search.dispatch
tempfile._candidate_tempdir_list = lambda: ["/nowhere"]
search.dispatch.read_settings = tempfile.gettempdir
sys.exit(search.cli.main(["parameters"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", f"import search.cli{code}"],
        capture_output=True,
        text=True,
        check=False,
    )

    line = "search: No usable temporary directory found in ['/nowhere']; make room in one of them, "
    assert (done.returncode, done.stderr) == (
        2,
        f"{line}or set TMPDIR to a folder that may be written to\n",
    )


def test_an_error_that_nobody_foresaw_is_one_line_with_its_traceback_in_a_file(
    tmp_path: Path,
) -> None:
    code = "import search.dispatch as d; d.read_settings = lambda: 1 / 0; " + (
        "from search.cli import main; import sys; sys.exit(main(['parameters']))"
    )
    (tmp_path / "home").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "SEARCH_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )

    file = next((tmp_path / "home" / "logs").iterdir())
    assert done.returncode == 1
    assert done.stderr == (
        "search: an error that search does not know (ZeroDivisionError: division by zero); "
        f"please send {file} and the output of `search doctor`\n"
    )
    assert "Traceback" in file.read_text()


def test_a_thread_that_an_author_left_does_not_keep_the_program_from_its_end(
    tmp_path: Path,
) -> None:
    thread = "import threading, time; threading.Thread(target=time.sleep, args=(600,)).start()"
    done = shell(f'exec "$0" -P -c "{thread}; $1" parameters', folder=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "learning_rate" in done.stdout
