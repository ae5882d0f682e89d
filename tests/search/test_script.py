"""The helper of a script, run by hand, without a worker, and at a worker that has gone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from objectives.script import answers, environment
from search import script

ROOT = Path(script.__file__).parents[1]
TRAIN = """
from search.script import trial

print(trial.config, trial.resume_from, trial.seed, trial.device)
for epoch in (1, 2):
    trial.progress()
    trial.report(epoch, val_loss=trial.config["start"] / epoch, dice=True)
print("end", trial.folder.resolve())
"""


def run(code: str, *words: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script with words of its own, in a folder."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("SEARCH_")}
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_by_hand_a_script_reads_its_command_line_and_prints_its_reports(tmp_path: Path) -> None:
    done = run(TRAIN, "--start", "3", "--batch-size=8", "--name", "x", folder=tmp_path)

    assert done.stdout.splitlines() == [
        "{'start': 3, 'batch_size': 8, 'name': 'x'} None 0 cpu",
        "epoch 1: val_loss 3 dice 1",
        "epoch 2: val_loss 1.5 dice 1",
        f"end {tmp_path}",
    ]
    assert list(tmp_path.iterdir()) == []


def test_of_the_processes_that_torchrun_starts_the_first_alone_reports(tmp_path: Path) -> None:
    first, second = (run(TRAIN, "--start", "3", folder=tmp_path, RANK=rank) for rank in "01")

    assert "epoch 2: val_loss 1.5" in first.stdout
    assert "epoch" not in second.stdout


def test_by_hand_there_are_no_rows(tmp_path: Path) -> None:
    done = run("from search.script import trial; trial.rows('train')", folder=tmp_path)

    assert "by hand there are no rows; run a study that has data" in done.stderr


def test_a_missing_hyperparameter_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    done = run(TRAIN, "--stat", "3", folder=tmp_path)

    assert "start: the configuration has stat; fix or search it, or use .get" in done.stderr


def test_a_script_that_no_worker_answers_writes_its_reports_and_goes_on(tmp_path: Path) -> None:
    (tmp_path / "trial.json").write_text(
        json.dumps({"config": {"start": 1}, "folder": str(tmp_path), "resume_from": "/x"})
    )
    variables = {
        "SEARCH_TRIAL_FILE": str(tmp_path / "trial.json"),
        "SEARCH_REPORT": str(tmp_path / "reports"),
        "SEARCH_ANSWERS": "nobody",
    }

    done = run(TRAIN, folder=tmp_path, **variables)

    assert done.stdout.endswith(f"end {tmp_path}\n")
    lines = (tmp_path / "reports").read_text().splitlines()
    assert json.loads(lines[1]) == {"epoch": 2, "val_loss": 0.5, "dice": 1.0}


def test_a_report_of_no_number_or_of_an_epoch_before_the_first_is_the_scripts_error() -> None:
    with pytest.raises(ValueError, match="count from 1"):
        script.Trial().report(0, val_loss=1.0)
    with pytest.raises(TypeError):
        script.Trial().report(1.5, val_loss=1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="could not convert"):
        script.Trial().report(1, val_loss="low")  # type: ignore[arg-type]


def test_the_helper_loads_nothing_of_ours_and_nothing_heavy(tmp_path: Path) -> None:
    code = "import sys; before = set(sys.modules); import search.script; print(*sys.modules)"
    loaded = set(run(code, folder=tmp_path).stdout.split())

    ours = {"objectives", "spaces", "storage", "dashboards", "torch", "numpy", "socket", "asyncio"}
    assert not loaded & ours
    assert {name for name in loaded if name.startswith("search")} == {"search", "search.script"}


def test_both_ends_speak_the_same_language() -> None:
    assert (script.TRIAL_FILE, script.REPORT_FILE, script.ANSWERS) == (
        environment.TRIAL_FILE,
        environment.REPORT_FILE,
        environment.ANSWERS,
    )
    assert (script.REPORTING, script.REPORTED) == (answers.REPORTING, answers.REPORTED)
    assert (script.GO_ON, script.REFUSED) == (answers.GO_ON, answers.REFUSED)


def test_a_script_that_another_user_runs_reports_without_answers(tmp_path: Path) -> None:
    with answers.Answers(users=[]) as worker:
        (tmp_path / "trial.json").write_text(json.dumps({"config": {"start": 1}}))
        names = ("SEARCH_TRIAL_FILE", "SEARCH_REPORT", "SEARCH_ANSWERS")
        told = (str(tmp_path / "trial.json"), str(tmp_path / "reports"), worker.name)
        with subprocess.Popen(
            [sys.executable, "-c", TRAIN],
            env={**os.environ, "PYTHONPATH": str(ROOT), **dict(zip(names, told, strict=True))},
            stdout=subprocess.PIPE,
            text=True,
        ) as script_process:
            while script_process.poll() is None:
                worker.read()
    assert len((tmp_path / "reports").read_text().splitlines()) == 2


def test_a_worker_that_goes_away_ends_the_script_that_waits(tmp_path: Path) -> None:
    with answers.Answers() as worker:
        variables = {"SEARCH_REPORT": str(tmp_path / "reports"), "SEARCH_ANSWERS": worker.name}
        code = "from search.script import trial\ntry: trial.report(1, a=1)\nfinally: print('left')"
        with subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
            stdout=subprocess.PIPE,
            text=True,
        ) as waiting:
            while not worker.is_awaited:
                worker.read()
            for each in worker.sockets:
                each.close()
            assert waiting.stdout
            assert waiting.stdout.read() == "left\n"
            assert waiting.wait() == 0
