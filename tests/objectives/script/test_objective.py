"""A script as an objective: the ways its results leave it, and the ways it ends."""

import json
import sys
import time
from contextlib import closing

import pytest

from objectives.contract import is_out_of_memory
from objectives.script.failures import ScriptFailed, ScriptKilled
from tests.objectives.script.conftest import Place, processes_of

HELPER = """
from search.script import trial

for epoch in range(1, trial.config["epochs"] + 1):
    trial.progress()
    trial.report(epoch, val_loss=trial.config["start"] / epoch)
    print("reported", epoch)
"""
# Reports, then saves where it is told to end.
SAVING = """
from search.script import trial

try:
    for epoch in range(1, 100):
        trial.report(epoch, val_loss=1.0)
        (trial.folder / "reported").write_text(str(epoch))
finally:
    (trial.folder / "saved").write_text("whole")
"""
SAVES_AT_SIGTERM = """
import signal, sys, time, os

def save(*_):
    open(os.path.join(sys.argv[1], "saved"), "w").close()
    sys.exit(0)

signal.signal(signal.SIGTERM, save)
open(os.environ["SEARCH_REPORT"], "a").write('{"epoch": 1, "val_loss": 1}\\n')
time.sleep(60)
"""


def test_a_script_with_the_helper_reports_every_epoch(place: Place) -> None:
    place.write("train.py", HELPER)

    values = place.values("python", "train.py", config={"epochs": 3, "start": 6.0})

    assert values == [(1, {"val_loss": 6.0}), (2, {"val_loss": 3.0}), (3, {"val_loss": 2.0})]
    assert place.output == "reported 1\nreported 2\nreported 3\n"


def test_a_report_returns_when_the_next_epoch_is_asked_for(place: Place) -> None:
    place.write("train.py", HELPER)

    with closing(place.results("python", "train.py", config={"epochs": 3, "start": 1})) as results:
        next(results)
        time.sleep(0.3)
        assert place.output == ""
        next(results)
        assert place.output == "reported 1\n"


def test_a_bash_script_appends_lines_of_json(place: Place) -> None:
    place.write(
        "train.sh",
        'for epoch in 1 2; do echo "{\\"epoch\\": $epoch, \\"val_loss\\": $1}" >> $SEARCH_REPORT\n'
        'sleep .3; done; printf \'{"epoch": 3, "val_loss": NaN}\' >> $SEARCH_REPORT',
    )

    values = place.values("bash", "train.sh", "{rate}", config={"rate": 1e-5})

    assert values[:2] == [(1, {"val_loss": 1e-5}), (2, {"val_loss": 1e-5})]
    assert values[2][1]["val_loss"] != values[2][1]["val_loss"]  # NaN, without an end of the line


def test_lines_of_the_output_are_results_where_they_fit_the_pattern(place: Place) -> None:
    loop = "for e in 0 1; do echo epoch $e loss .5; echo noise >&2; done; echo epoch 2 loss .25"
    lines = {
        "kind": "lines",
        "pattern": r"epoch (\d+) loss (\S+)",
        "groups": ["epoch", "val_loss"],
        "counts_from": 0,
    }

    values = place.values("bash", "-c", loop, results=lines)

    assert values == [(1, {"val_loss": 0.5}), (2, {"val_loss": 0.5}), (3, {"val_loss": 0.25})]


def test_a_table_is_read_in_the_folder_where_the_script_runs(place: Place) -> None:
    write = "mkdir -p logs/v0; printf 'epoch,val/loss\\n1,.5\\n2,.25\\n' > logs/v0/metrics.csv"
    table = {
        "kind": "table",
        "path": "logs/*/metrics.csv",
        "columns": {"val_loss": "val/loss"},
        "epoch": "epoch",
        "counts_from": 1,
    }

    values = place.values("bash", "-c", write, results=table, runs_in="trial")

    assert values == [(1, {"val_loss": 0.5}), (2, {"val_loss": 0.25})]
    assert (place.attempt.folder / "logs").is_dir()


def test_a_script_beside_the_study_runs_in_the_folder_of_its_trial(place: Place) -> None:
    place.write("train.py", "import os; from search.script import trial; trial.report(1, a=1)")

    assert place.values("python", "train.py", runs_in="trial") == [(1, {"a": 1.0})]


def test_the_files_tell_the_configuration_and_the_trial(place: Place) -> None:
    place.write("train.py", HELPER)
    config = {"epochs": 1, "start": 2.0, "name": "ünïcode"}

    place.having(resume_from=place.folder).values("python", "train.py", config=config)

    folder = place.attempt.folder
    assert json.loads((folder / "config.json").read_text()) == config
    assert json.loads((folder / "trial.json").read_text()) == {
        "config": config,
        "folder": str(folder),
        "resume_from": str(place.folder),
        "seed": 7,
        "device": "cpu",
        "threads": 1,
        "folds": 0,
        "rows": None,
        "no_rows": "the images of this data source are not listed; hand the attempt"
        " `list_data(source)` of objectives.data.manifest.listed",
    }


def test_a_script_that_waits_for_an_answer_is_told_to_end_and_saves(place: Place) -> None:
    place.write("train.py", SAVING)

    with closing(place.results("python", "train.py")) as results:
        next(results)
        next(results)

    assert (place.attempt.folder / "reported").read_text() == "1"
    assert (place.attempt.folder / "saved").read_text() == "whole"
    assert processes_of(place.folder) == []


def test_what_goes_on_after_the_script_that_waited_is_ended_too(place: Place) -> None:
    place.write("train.py", SAVING)

    with closing(place.results("bash", "-c", "python train.py; sleep 60")) as results:
        next(results)

    assert (place.attempt.folder / "saved").exists()
    assert processes_of(place.folder) == []


def test_any_other_script_gets_sigterm_and_time_to_save(place: Place) -> None:
    place.write("train.py", SAVES_AT_SIGTERM)

    with closing(place.results("bash", "-c", "python train.py {folder}")) as results:
        next(results)

    assert (place.attempt.folder / "saved").exists()
    assert processes_of(place.folder) == []


def test_a_program_may_save_while_its_shell_has_ended_already(place: Place) -> None:
    place.write(
        "train.py", SAVES_AT_SIGTERM.replace("def save(*_):", "def save(*_):\n    time.sleep(.5)")
    )
    place.write("train.sh", "python train.py $1\necho never")

    with closing(place.results("bash", "train.sh", "{folder}")) as results:
        next(results)

    assert (place.attempt.folder / "saved").exists()
    assert processes_of(place.folder) == []


def test_a_script_that_ignores_sigterm_is_killed_after_its_grace(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    stubborn = "trap '' TERM; echo '{{\"epoch\": 1}}' >> $SEARCH_REPORT; while :; do sleep 1; done"

    with closing(place.results("bash", "-c", stubborn, grace_seconds=0.5)) as results:
        next(results)

    assert "bash did not end within 0.5 s: killed" in caplog.text
    assert processes_of(place.folder) == []


def test_reports_after_it_was_told_to_end_are_ignored(place: Place) -> None:
    deaf = HELPER.replace("    trial.report", "    try: trial.report").replace(
        "    print", "    except BaseException: pass\n    print"
    )
    place.write("train.py", deaf)

    with closing(place.results("python", "train.py", config={"epochs": 9, "start": 1})) as results:
        assert next(results).epoch == 1

    assert "reported 9" in place.output
    assert processes_of(place.folder) == []


@pytest.mark.parametrize(
    ("command", "message", "where"),
    [
        ("exit 3", "bash ended with exit code 3: it wrote nothing", "bash ended with exit code 3"),
        ("true", "bash ended and reported no epoch; call trial.report", "no epoch"),
        ("echo at 12; exit 1", "with exit code 1: at 12", "with exit code 1: at #"),
        ("kill -SEGV $$", "bash ended by SIGSEGV", "SIGSEGV"),
        ("echo '[1]' >> $SEARCH_REPORT", "reported '[1]', which has no epoch", "'[#]'"),
        ("echo '{{\"epoch\"' >> $SEARCH_REPORT", "which is no JSON; write", "no JSON"),
        ("python -c 1/0", "exit code 1: ZeroDivisionError: division by zero", "ZeroDivision"),
    ],
)
def test_a_fault_is_one_line_that_is_the_same_for_every_trial(
    place: Place, command: str, message: str, where: str
) -> None:
    with pytest.raises(ScriptFailed) as failed:
        place.values("bash", "-c", command)

    assert message in str(failed.value)
    assert where in failed.value.where
    assert not is_out_of_memory(failed.value)
    assert len(str(failed.value).splitlines()) == 1


def test_a_failure_comes_with_the_last_lines(place: Place) -> None:
    with pytest.raises(ScriptFailed) as failed:
        place.values("bash", "-c", "for i in $(seq 500); do echo line $i; done; exit 2")

    assert str(failed.value) == "bash ended with exit code 2: line 500"
    assert failed.value.report.splitlines() == [f"line {number}" for number in range(301, 501)]


@pytest.mark.parametrize(
    "last",
    [
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
        "RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory",
        "MemoryError",
    ],
)
def test_lack_of_memory_is_read_from_the_last_lines(place: Place, last: str) -> None:
    with pytest.raises(ScriptFailed) as failed:
        place.values("bash", "-c", f'echo "{last}" >&2; exit 1')

    assert is_out_of_memory(failed.value)


@pytest.mark.parametrize("kill", ["kill -9 $$", "bash -c 'kill -9 $$'; exit $?", "kill $$"])
def test_a_script_that_was_killed_from_outside_is_told_from_one_that_failed(
    place: Place, kill: str
) -> None:
    with pytest.raises(ScriptKilled, match=r"bash ended by SIG(KILL|TERM)"):
        place.values("bash", "-c", kill)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["nosuch"], "no program 'nosuch' on this machine's PATH"),
        (["./train"], "train is not executable; `chmod"),
        (["./none.sh"], "there is no ./none.sh in"),
        (["train"], "write ./train"),
        (["python", "none.py"], "there is no none.py in"),
        (["./bad"], "could not be started (Exec format error); begin the file with"),
    ],
)
def test_a_command_that_cannot_be_started_is_one_line_with_the_fix(
    place: Place, command: list[str], message: str
) -> None:
    place.write("train", "")
    place.write("bad", "\0\1\2").chmod(0o755)

    with pytest.raises(ScriptFailed) as failed:
        place.values(*command)

    assert message in str(failed.value)


def test_a_script_with_nothing_left_to_do_ends_without_an_epoch(place: Place) -> None:
    assert place.having(resume_from=place.folder).values("true") == []


def test_a_script_that_waits_is_ended_when_its_attempt_must(place: Place) -> None:
    class Halted(BaseException):
        pass

    def check() -> None:
        if processes_of(place.folder)[1:]:  # the keeper alone is not enough
            raise Halted

    with pytest.raises(Halted):
        place.having(check=check).values("sleep", "60")

    assert processes_of(place.folder) == []


def test_output_and_reports_are_progress_and_silence_is_none(place: Place) -> None:
    told: list[str] = []
    marked = place.having(
        progress=lambda: told.append("progress"), check=lambda: told.append("check")
    )

    silent = marked.results("bash", "-c", "sleep .5; echo '{{\"epoch\": 1}}' >> $SEARCH_REPORT")
    next(silent)
    assert "progress" not in told
    assert told.count("check") >= 3
    list(silent)
    told.clear()
    with pytest.raises(ScriptFailed):
        marked.values("bash", "-c", "echo a; sleep .3; printf b; sleep .3")
    assert told.count("progress") >= 2


def test_gigabytes_of_output_keep_a_short_log(place: Place) -> None:
    flood = (
        "echo first; yes 0123456789abcdef | head -c 20000000; echo last;"
        " echo '{{\"epoch\": 1}}' >> $SEARCH_REPORT"
    )

    assert len(place.values("bash", "-c", flood)) == 1

    log = place.output
    assert len(log) < 2_001_000
    assert log.startswith("first\n")
    assert log.endswith("last\n")
    assert "[... 18,000,011 bytes of output are cut out here ...]" in log


def test_python_is_this_one_unless_another_environment_is_active(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    place.write("train.py", "import sys; print(sys.executable)\n" + HELPER)

    place.values("python", "train.py", config={"epochs": 1, "start": 1})

    assert place.output.startswith(sys.executable)
