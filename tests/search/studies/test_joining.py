"""`search worker --check`: what a machine lacks for a study, before it claims anything."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from search.cli import main
from search.settings import Settings
from search.start import settled
from search.studies.create import store_study
from search.studies.overrides import Overrides
from search.studies.prepare import prepare
from storage.artifacts import shared_store
from storage.places.folder import MARK
from storage.store import Store
from tests.madeup.gpus import MadeUp, MadeUpGpus, uuid
from tests.storage.samples import new_worker

TOY = """
from spaces.params import Float
from spaces.study import Study
study = Study(name="toy", objective="toy_curve", metric="val_loss", direction="minimize", trials=2,
    fixed={"seconds_per_epoch": 0.0}, space=[Float("learning_rate", 1e-5, 1.0, log=True)])
"""


@pytest.fixture
def machine(
    tmp_path: Path, store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A machine that reaches a database in which the study `toy` is stored."""
    (tmp_path / "toy.py").write_text(TOY)
    overrides, settings = Overrides(str(tmp_path / "toy.py")), Settings(home=tmp_path / "home")
    store_study(prepare(overrides, settings), overrides, settings, store)
    monkeypatch.setenv("SEARCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SEARCH_DATABASE_URL", database_url)
    return tmp_path


@pytest.mark.usefixtures("machine")
def test_a_machine_that_is_ready_says_so_in_one_line_and_registers_no_worker(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["worker", "--study", "toy", "--check"])

    told = capsys.readouterr()
    assert (code, told.err) == (0, "")
    assert told.out.startswith("ready: study: toy, 0 of 2 trials have ended; ")
    assert told.out.count("\n") == 1
    assert store.workers("toy") == []


@pytest.mark.usefixtures("machine")
def test_a_program_reads_every_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["worker", "--study", "toy", "--check", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["ready"]
    assert told["study"] == "toy"
    names = [check["name"] for check in told["checks"]]
    assert names == ["study", "versions", "data", "code", "weights", "artifacts", "device"]
    assert not any(check["fix"] or check["exit_code"] for check in told["checks"])


def test_all_that_is_missing_is_told_at_once(
    machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (machine / "file").touch()
    monkeypatch.setenv("SEARCH_ARTIFACTS", str(machine / "file" / "store"))
    package = machine / "packages" / "search-0.2.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.4\nName: search\nVersion: 0.2.0\n")
    monkeypatch.syspath_prepend(str(package.parent))

    assert main(["worker", "--study", "toy", "--check", "--json"]) == 4

    told = capsys.readouterr()
    checks = json.loads(told.out)["checks"]
    lacking = {check["name"]: check["exit_code"] for check in checks if check["exit_code"]}
    assert lacking == {"versions": 4, "artifacts": 2}
    first, second = told.err.splitlines()
    assert "search 0.2.0, not 0.1.0" in first
    assert "set SEARCH_ARTIFACTS to another" in second


@pytest.mark.usefixtures("machine")
def test_a_gpu_that_torch_cannot_use_is_told(made_up_gpus: MadeUpGpus) -> None:
    made_up_gpus.put(MadeUp(uuid(1)))
    without_torch = (
        f"import runpy, sys; sys.executable = {shutil.which('false')!r};"
        "sys.argv = 'search worker --study toy --check'.split();"
        "runpy.run_module('search.cli', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", without_torch],
        env=settled(made_up_gpus.environment("0"), sys.path),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 4
    assert done.stderr.startswith("search: torch: does not load: exit code 1; ")


def test_a_study_that_is_not_stored_is_all_that_is_told(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["worker", "--study", "toi", "--check"]) == 2

    assert capsys.readouterr().err == "search: no study 'toi' is stored here; did you mean 'toy'?\n"


@pytest.mark.usefixtures("machine")
def test_json_without_check_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["worker", "--study", "toy", "--json"]) == 2

    assert "give --check with it" in capsys.readouterr().err


@pytest.mark.parametrize("words", [(), ("--workers", "1")], ids=["worker", "crew"])
def test_a_database_that_is_away_ends_a_worker_so_that_its_engine_starts_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("SEARCH_HOME", str(tmp_path))
    monkeypatch.setenv("SEARCH_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")

    assert main(["worker", "--study", "toy", *words]) == 2  # a person corrects the address

    monkeypatch.setenv("SLURM_JOB_ID", "14")
    assert main(["worker", "--study", "toy", *words]) == 75


@pytest.fixture
def share(machine: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shared folder that a worker of the study has used, on a machine that Slurm's task is on."""
    share = machine / "share"
    mark = shared_store(str(share))[1]
    used = {"artifacts": {"location": str(share), "mark": mark}}
    store.register_worker("toy", new_worker(machine=used))
    monkeypatch.setenv("SEARCH_ARTIFACTS", str(share))
    monkeypatch.setenv("SLURM_JOB_ID", "14")
    return share


@pytest.mark.parametrize("words", [(), ("--workers", "1")], ids=["worker", "crew"])
def test_a_share_that_is_not_mounted_ends_a_worker_so_that_its_engine_starts_it_again(
    share: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
) -> None:
    share.rename(share.with_name("elsewhere"))
    share.mkdir()  # the mount point

    assert main(["worker", "--study", "toy", *words]) == 75
    assert main(["worker", "--study", "toy", "--check"]) == 2

    monkeypatch.delenv("SLURM_JOB_ID")
    capsys.readouterr()
    assert main(["worker", "--study", "toy", *words]) == 2  # a person mounts it
    assert main(["delete", "toy", "--yes"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert all("it is not mounted" in line and "mount the share" in line for line in lines)
    assert len(lines) == 2
    assert list(share.iterdir()) == []


def test_another_folder_in_the_place_of_the_share_is_no_outage(share: Path) -> None:
    (share / MARK).write_text("another\n")

    assert main(["worker", "--study", "toy"]) == 2


def test_a_share_that_may_not_be_used_is_no_outage(
    share: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share.rename(share.with_name("elsewhere"))
    share.touch()

    assert main(["worker", "--study", "toy"]) == 2


@pytest.mark.usefixtures("machine")
def test_an_endpoint_of_s3_that_is_away_is_waited_for_and_a_bucket_that_is_not_there_is_not(
    s3_server: Mapping[str, str],
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in s3_server.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SLURM_JOB_ID", "14")

    monkeypatch.setenv("SEARCH_ARTIFACTS", "s3://nowhere/x")
    assert main(["worker", "--study", "toy"]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert "NoSuchBucket" in said
    assert said.endswith("or set SEARCH_ARTIFACTS to another")

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert main(["worker", "--study", "toy"]) == 75
    assert store.attempts("toy") == []
