"""`search fleet` and the fleet that the home remembers."""

import os

import pytest

from search.cli import main
from search.fleet.engine import ENGINES, Fleet
from search.fleet.remember import forget, remember, remembered, sole_command
from search.fleet_options import ENGINE_NAMES
from search.settings import Settings
from storage.store import Store
from tests.storage.samples import new_study


@pytest.fixture
def fleet_on_ray(database_url, tmp_path, monkeypatch):
    """A home that remembers a fleet at an address that nothing answers at."""
    pytest.importorskip("ray", reason="needs ray")
    secrets = tmp_path / "secrets"
    secrets.touch(mode=0o600)
    secrets.write_text(f"SEARCH_DATABASE_URL={database_url}\n")
    monkeypatch.setenv("SEARCH_HOME", str(tmp_path))
    monkeypatch.setenv("SEARCH_SECRETS_FILE", str(secrets))
    with Store.open(database_url) as store:
        store.create(new_study("toy"))
    fleet = Fleet(engine="ray", study="toy", job="toy-1", workers=2, address="127.0.0.1:1")
    remember(Settings(home=tmp_path), fleet)


def test_the_engines_that_can_be_named_are_those_that_can_be_opened():
    assert set(ENGINE_NAMES) == ENGINES.keys()


@pytest.mark.parametrize("command", ["up", "status", "down"])
def test_another_engine_than_that_of_the_fleet_is_refused(fleet_on_ray, capsys, command):
    assert main(["fleet", command, "--study", "toy", "--engine", "slurm"]) == 2
    assert "toy has a fleet on ray, not on slurm; leave --engine out" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["up", "status", "down"])
def test_every_command_asks_the_cluster_at_the_remembered_address(fleet_on_ray, capsys, command):
    assert main(["fleet", command, "--study", "toy"]) == 2
    assert "no Ray cluster answers at 127.0.0.1:1" in capsys.readouterr().err


def test_a_fleet_that_was_never_up_is_not_remembered(fleet_on_ray, tmp_path, capsys):
    forget(Settings(home=tmp_path), "toy")
    up = ["fleet", "up", "--study", "toy", "--engine", "ray", "--address", "127.0.0.1:1"]
    assert main(up) == 2
    assert remembered(Settings(home=tmp_path), "toy") is None


def test_the_end_of_a_fleet_whose_cluster_is_gone_names_the_file_to_remove(fleet_on_ray, capsys):
    assert main(["fleet", "down", "--study", "toy"]) == 2
    assert "if that is gone for good, remove " in capsys.readouterr().err


@pytest.mark.parametrize("command", ["up", "down"])
def test_a_fleet_that_another_command_changes_is_left_alone(
    fleet_on_ray, tmp_path, capsys, command
):
    with sole_command(Settings(home=tmp_path), "toy"):
        assert main(["fleet", command, "--study", "toy"]) == 2
    assert f"another command changes the fleet of toy now (process {os.getpid()} of " in (
        capsys.readouterr().err
    )


def test_a_study_is_not_deleted_before_its_fleet_is_down(fleet_on_ray, capsys):
    assert main(["delete", "toy", "--yes"]) == 2
    assert "toy has a fleet; end it first: `search fleet down" in capsys.readouterr().err


@pytest.mark.parametrize("trouble", ["no study", "no database"])
def test_a_fleet_is_down_without_its_study_and_without_the_database(
    tmp_path, database_url, monkeypatch, capsys, trouble
):
    secrets = tmp_path / "secrets"
    secrets.touch(mode=0o600)
    if trouble == "no database":
        database_url = "postgresql://127.0.0.1:1/search"
    secrets.write_text(f"SEARCH_DATABASE_URL={database_url}\n")
    monkeypatch.setenv("SEARCH_HOME", str(tmp_path))
    fleet = Fleet(engine="slurm", study="toy", job="toy-1", workers=2, secrets=str(secrets))
    remember(Settings(home=tmp_path), fleet)
    killed, programs = tmp_path / "killed", tmp_path / "bin"
    programs.mkdir()
    says = {
        "squeue": f"[ -e {killed} ] || echo '5_1|RUNNING|box|0|None|0|'",
        "scancel": f"touch {killed}",
        "scontrol": "",
    }
    for program, line in says.items():
        (programs / program).write_text(f"#!/bin/sh\n{line}\n")
        (programs / program).chmod(0o700)
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)

    assert main(["fleet", "down", "--study", "toy", "--now"]) == 0

    told = capsys.readouterr()
    assert "the fleet of toy is down" in told.out
    assert ("go on once their leases expire" in told.err) is (trouble == "no database")
    assert remembered(Settings(home=tmp_path), "toy") is None


@pytest.fixture
def submitted(fleet_on_ray, tmp_path, monkeypatch):
    """Runs `search fleet up` beside a Slurm that has no task, and returns the script it gets."""
    forget(Settings(home=tmp_path), "toy")
    programs, script = tmp_path / "bin", tmp_path / "script"
    programs.mkdir()
    for program, line in {"squeue": "", "sbatch": f"cat > {script}; echo 5"}.items():
        (programs / program).write_text(f"#!/bin/sh\n{line}\n")
        (programs / program).chmod(0o700)
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)

    def up(*words):
        assert main(["fleet", "up", "--study", "toy", *words]) == 0
        return script.read_text()

    return up


def test_a_fleet_keeps_its_options_until_others_are_given_or_it_is_down(submitted):
    of_slurm = ["--partition", "gpu", "--sbatch=--mem=8G", "--warn-minutes", "2"]
    given = [*of_slurm, "--per-gpu", "2", "--data", "x/../there", "--accept-versions"]
    first = submitted("--engine", "slurm", "--workers", "2", *given)
    lines = ("--partition=gpu", "--mem=8G", "B:TERM@120", "--gres=gpu:1", "--workers 2", "/there")
    assert [line for line in (*lines, "--accept-versions") if line not in first] == []

    assert submitted("--workers", "2") == first

    elsewhere = submitted("--workers", "2", "--partition", "cpu")
    assert "--partition=cpu" in elsewhere
    assert "--mem=8G" in elsewhere

    main(["fleet", "down", "--study", "toy"])
    assert "--mem=8G" not in submitted("--engine", "slurm", "--workers", "2")


@pytest.mark.parametrize("change", [["--per-gpu", "2"], ["--cpu"]])
def test_a_fleet_whose_tasks_are_there_takes_no_other_size_of_task(submitted, capsys, change):
    submitted("--engine", "slurm", "--workers", "2")
    assert main(["fleet", "up", "--study", "toy", "--workers", "2", *change]) == 2
    assert f"{change[0]} cannot change while the fleet on slurm is up; end it first: `search" in (
        capsys.readouterr().err
    )


def test_a_fleet_keeps_the_place_of_its_files(submitted, monkeypatch, tmp_path):
    monkeypatch.setenv("SEARCH_ARTIFACTS", str(tmp_path / "share"))
    monkeypatch.setenv("SEARCH_LEASE_SECONDS", "77")
    first = submitted("--engine", "slurm", "--workers", "2")
    monkeypatch.delenv("SEARCH_ARTIFACTS")
    monkeypatch.delenv("SEARCH_LEASE_SECONDS")
    assert submitted("--workers", "2") == first
    assert "SEARCH_LEASE_SECONDS=77" in first

    monkeypatch.setenv("SEARCH_LEASE_SECONDS", "9")
    later = submitted("--workers", "2")
    assert "SEARCH_LEASE_SECONDS=9" in later
    assert "SEARCH_BEAT_SECONDS=3" in later  # no worker takes a beat longer than its lease
    assert str(tmp_path / "share") in later
