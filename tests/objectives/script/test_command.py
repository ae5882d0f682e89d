"""A command with a trial's values, and the environment in which it runs."""

import os
import sys
from pathlib import Path

import pytest

from objectives.contract import RecipeError
from objectives.script.command import beside_the_study, check_program, fill, script_name
from objectives.script.environment import ROOT, script_environment
from objectives.script.objective import check_script
from search.start import settled

FACTS = {"folder": "/a/1", "resume_from": None, "seed": 3}


@pytest.mark.parametrize(
    ("words", "filled"),
    [
        (["{lr}", "{n}", "{on}", "{name}"], ["1e-05", "8", "true", "res net"]),
        (["--lr={lr}", "{{lr}}", "{seed}"], ["--lr=1e-05", "{lr}", "8"]),
        (["--resume", "{resume_from}", "x"], ["x"]),
        (["--resume", "{resume_from}/last.ckpt"], []),
        (["-m", "resume={resume_from}", "x"], ["-m", "x"]),
        (["5", "{resume_from}"], ["5"]),
        (["--margin", "{margin}", "--wd={decay}"], []),
    ],
)
def test_names_in_braces_are_filled_in_and_words_without_a_value_left_out(
    words: list[str], filled: list[str]
) -> None:
    config = {"lr": 1e-5, "n": 8, "on": True, "name": "res net", "seed": 8, "decay": None}

    assert fill(words, config, FACTS) == filled


def test_a_folder_to_resume_from_is_handed_over_with_its_option() -> None:
    facts = {**FACTS, "resume_from": "/a/0"}

    assert fill(["--resume", "{resume_from}"], {}, facts) == ["--resume", "/a/0"]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("python -u src/train.py --lr 1", "train.py"),
        ("bash train.sh", "train.sh"),
        ("torchrun --nproc-per-node 2 train.py", "train.py"),
        ("python -m lab.train --lr 1", "lab.train"),
        ("/opt/bin/train --lr 1", "train"),
        ("/opt/bin/train -m 3 1", "train"),
        ("Rscript fit.R {config}", "fit.R"),
    ],
)
def test_messages_call_a_script_by_its_file(words: str, name: str) -> None:
    assert script_name(words.split()) == name


def test_files_beside_the_study_are_found_from_another_folder(tmp_path: Path) -> None:
    (tmp_path / "train.py").touch()
    (tmp_path / "fast").mkdir()

    words = beside_the_study(["python", "train.py", "--mode", "fast", "{lr}"], tmp_path)

    assert words == ["python", str(tmp_path / "train.py"), "--mode", "fast", "{lr}"]


def test_a_folder_with_braces_is_no_name_to_fill_in(tmp_path: Path) -> None:
    folder = tmp_path / "{seed}"
    folder.mkdir()
    (folder / "train.py").touch()

    assert fill(beside_the_study(["train.py"], folder), {}, FACTS) == [str(folder / "train.py")]


@pytest.mark.parametrize(
    ("first", "fix"),
    [("#!/nowhere/python", "correct the line"), ("#!/bin/sh\r", "let each line end by a newline")],
    ids=["program", "line end"],
)
def test_a_script_whose_interpreter_is_not_there_is_refused(
    tmp_path: Path, first: str, fix: str
) -> None:
    script = tmp_path / "train.sh"
    script.write_bytes(f"{first}\n".encode())
    script.chmod(0o755)
    with pytest.raises(RecipeError, match=f"begins with #!.*no such program; {fix}"):
        check_program(["./train.sh"], tmp_path)
    script.write_text("#!/usr/bin/env nothing\n")

    check_program(["./train.sh"], tmp_path)  # the system says so


def test_a_declared_script_is_looked_for_before_any_trial(tmp_path: Path) -> None:
    declared = {"command": ["python", "-u", "train.py", "{lr}"]}
    with pytest.raises(RecipeError, match=r"there is no train\.py in"):
        check_script(declared, tmp_path)
    (tmp_path / "train.py").touch()

    check_script(declared, tmp_path)
    check_program(["{program}"], tmp_path)  # nobody knows it yet


def test_a_script_gets_the_variables_of_python_that_the_user_has_set() -> None:
    shell = {"PYTHONPATH": "/lab", "PYTHONHASHSEED": "0", "PATH": "/bin", "X": "1"}
    ours = {**settled(shell, sys.path), "SEARCH_DATABASE_URL": "postgresql://secret"}

    theirs = script_environment(ours, {"SEARCH_REPORT": "/r"})

    assert theirs["PYTHONPATH"].split(os.pathsep) == ["/lab", str(ROOT)]
    assert (theirs["PYTHONHASHSEED"], theirs["X"]) == ("0", "1")
    assert "PYTHONUTF8" not in theirs
    assert [name for name in theirs if name.startswith("SEARCH_")] == ["SEARCH_REPORT"]
    assert script_environment(shell, {})["PYTHONPATH"] == theirs["PYTHONPATH"]


def test_this_python_comes_first_where_no_environment_is_active() -> None:
    own, path = str(Path(sys.executable).parent), {"PATH": "/bin"}

    assert script_environment(path, {})["PATH"] == os.pathsep.join([own, "/bin"])
    assert script_environment({**path, "VIRTUAL_ENV": "/v"}, {})["PATH"] == "/bin"
    assert script_environment({**path, "CONDA_PREFIX": "/c"}, {})["PATH"] == "/bin"
