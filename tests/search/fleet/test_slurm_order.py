"""What an order becomes for Slurm, without one."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from search.errors import UsageError
from search.fleet.engine import Fleet, Order
from search.fleet.slurm.engine import SlurmEngine
from spaces.exits import DEVICE_LOST, DONE, DRAINED, KILLED, LASTING

OPTIONS = {"partition": None, "time": None, "sbatch": [], "warn_minutes": 5.0}


def order(**changes: Any) -> Order:
    given = {
        "study": "toy",
        "job": "toy-1a2b3c4d",
        "home": Path("/share/it's home"),
        "workers": 4,
        "secrets": Path("/share/se crets"),
        "options": OPTIONS,
    }
    return Order(**given | changes)


def test_a_script_is_bash_and_names_the_file_of_secrets_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEARCH_DATABASE_URL", "postgresql://me:hunter2@db/search")
    file = tmp_path / "job.sh"
    file.write_text(SlurmEngine().render(order(environment={"SEARCH_ARTIFACTS": "s3://a b/c"})))

    subprocess.run(["bash", "-n", file], check=True)
    text = file.read_text()
    assert "hunter2" not in text
    assert "export SEARCH_SECRETS_FILE='/share/se crets'\n" in text
    assert "export SEARCH_ARTIFACTS='s3://a b/c'\n" in text


def test_options_become_lines_of_the_script_and_the_users_come_last() -> None:
    options = OPTIONS | {"time": "1:00:00", "sbatch": ["--gres=gpu:a100:1"], "warn_minutes": 0.5}
    text = SlurmEngine().render(order(options=options))

    lines = [line for line in text.splitlines() if line.startswith("#SBATCH")]
    assert "#SBATCH --array=1-4" in lines
    assert "#SBATCH --time=1:00:00" in lines
    assert "#SBATCH --signal=B:TERM@30" in lines
    assert lines[-1] == "#SBATCH --gres=gpu:a100:1"  # sbatch takes the last of several


def test_workers_that_share_a_gpu_are_a_crew_in_one_task() -> None:
    text = SlurmEngine().render(order(per_gpu=2))

    assert "#SBATCH --array=1-2" in text
    assert "search.cli worker --study toy --workers 2 " in text
    assert "OMP_NUM_THREADS" not in text  # the crew divides the cores


def test_workers_on_the_cpu_ask_for_no_gpu_and_see_none() -> None:
    text = SlurmEngine().render(order(uses_gpu=False))

    assert "--gres" not in text
    assert "export CUDA_VISIBLE_DEVICES=''\n" in text


def test_the_script_knows_the_exit_codes_of_a_worker() -> None:
    cases = re.findall(r"^ +([\d |]+)\)", SlurmEngine().render(order()), re.MULTILINE)

    lasting = " | ".join(map(str, LASTING))
    assert cases == [str(DONE), f"{DRAINED} | {KILLED}", str(DEVICE_LOST), lasting]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"workers": None}, "--workers N"),
        ({"workers": 5, "per_gpu": 2}, "a multiple of 2"),
        ({"home": Path('/a"b')}, "without quotes"),
        ({"options": OPTIONS | {"sbatch": ["--x\n--y"]}}, "line break"),
    ],
)
def test_an_order_that_slurm_cannot_take_is_refused_with_the_fix(
    changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        SlurmEngine().render(order(**changes))


def test_a_machine_without_slurm_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    fleet = Fleet(engine="slurm", study="toy", job="toy-1", workers=1)

    with pytest.raises(UsageError, match="this machine has no squeue; type the command on"):
        SlurmEngine().status(fleet)


def test_an_order_without_a_file_of_secrets_is_refused() -> None:
    with pytest.raises(UsageError, match="--secrets FILE"):
        SlurmEngine().up(order(secrets=None), str)


def test_a_job_has_the_fleets_name_whatever_the_user_calls_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secrets").touch(mode=0o600)
    (tmp_path / "secrets").write_text("SEARCH_DATABASE_URL=postgresql://db/search\n")
    for program, line in {"squeue": "", "sbatch": f'echo "$@" > {tmp_path}/words; echo 7'}.items():
        (tmp_path / program).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / program).chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    options = OPTIONS | {"sbatch": ["--job-name=mine"]}

    SlurmEngine().up(order(home=tmp_path, secrets=tmp_path / "secrets", options=options), str)

    assert (tmp_path / "words").read_text() == "--parsable --job-name=toy-1a2b3c4d\n"
