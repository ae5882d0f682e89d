"""What docker-compose.yml starts, started as processes: its commands, its variables, its files."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from search.secrets_file import read_secrets
from spaces.exits import DONE, DRAINED
from storage.locks import wait_until
from storage.store import Store
from tests.acceptance.machines import Machine, two_machines
from tests.house.compose import services
from tests.house.rules import ROOT
from tests.storage.tcp import tcp_server

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

TRIALS, EPOCHS = 8, 12  # half a minute of one worker: two more start meanwhile
STUDY = f"""
from spaces.params import Float
from spaces.study import Pruning, Study
study = Study(name="toy", objective="toy_curve", metric="val_loss", direction="minimize",
    trials={TRIALS}, fixed={{"epochs": {EPOCHS}, "seconds_per_epoch": 0.3}},
    space=[Float("learning_rate", 1e-4, 1.0, log=True)], pruning=Pruning("none"))
"""


@dataclass
class Topology:
    """The services of the compose file on two machines.

    lab: the folder that is /lab in a container, with what stands beside the compose file.
    """

    lab: Path
    machines: tuple[Machine, Machine]
    port: int  # of the page
    url: str  # of the database, for the test
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, name: str, machine: Machine | None = None) -> subprocess.Popen[str]:
        """Start a service's process as its container would.

        machine: None for the network of the host, which is this one.
        """
        here = machine or self.machines[0]
        service = services(
            {
                "STUDY": "studies/toy.py",
                "PAGE_PORT": str(self.port),
                "POSTGRES_ADDRESS": here.gateway,
                "DATABASE_HOST": here.gateway,
            }
        )[name]
        places = self._places(f"{name}-{len(self.started)}", here.name)
        words = [_replaced(word, places) for word in service["command"]]
        variables = {key: _replaced(value, places) for key, value in service["environment"].items()}
        ours = {"PATH": os.environ["PATH"], "SEARCH_LEASE_SECONDS": "3"}
        ours |= {"TMPDIR": places["/tmp"], "PYTHONPATH": str(ROOT)}
        writable = [Path(place) for place in places.values()][: -len(("lab", "secrets"))]
        before = machine.words(writable) if machine else []
        process = subprocess.Popen(
            [*before, sys.executable, "-P", "-m", "search.cli", *words],
            cwd=self.lab,
            env=ours | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def _places(self, container: str, machine: str) -> Mapping[str, str]:
        """Return the folders of a new container by their names inside; the last two are shared."""
        own = self.lab.parent / container
        places = {
            "/home/search/.search": own / "home",
            "/home/search": own,
            "/tmp": own / "tmp",
            "/cache": self.lab.parent / f"cache-of-{machine}",
            "/artifacts": self.lab.parent / "artifacts",
            "/run/secrets": self.lab / "secrets",
            "/lab": self.lab,
        }
        for place in places.values():
            place.mkdir(parents=True, exist_ok=True)
        return {inside: str(place) for inside, place in places.items()}


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """Postgres with its password from a file, and a folder with secrets and the study."""
    lab = tmp_path_factory.mktemp("topology") / "lab"
    (lab / "studies").mkdir(parents=True)
    (lab / "studies" / "toy.py").write_text(STUDY)
    shutil.copy(ROOT / "Makefile", lab)
    subprocess.run(["make", "--silent", "secrets"], cwd=lab, check=True)
    for file in (lab / "secrets").iterdir():
        os.chown(file, os.getuid(), os.getgid())  # root has given them to the containers' user
    password = (lab / "secrets" / "postgres").read_text().rstrip("\n")
    with two_machines() as machines, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        addresses = [machine.gateway for machine in machines]
        user = f"CREATE ROLE search SUPERUSER LOGIN PASSWORD '{password}'"  # as the image makes it
        home = tmp_path_factory.mktemp("server")
        with tcp_server(home, user, "CREATE DATABASE search OWNER search", addresses=addresses):
            url = f"postgresql+psycopg2://search:{password}@{addresses[0]}:5432/search"
            ours = Topology(lab=lab, machines=machines, port=port, url=url)
            try:
                yield ours
            finally:
                for process in ours.started:
                    process.kill()
                    process.communicate()


def test_the_services_lose_nothing_to_a_kill_and_a_drain(topology: Topology) -> None:
    here, there = topology.machines
    assert_stored(topology)
    page = topology.start("dashboard")
    workers = [topology.start("worker", here)]
    with Store.open(topology.url) as store:
        assert wait_until(lambda: store.workers("toy") != [], 60)
        workers += [topology.start("worker", there), topology.start("worker", here)]  # --scale 3
        assert wait_until(lambda: all(recorded_by(store, each) >= 2 for each in workers), 60)
        assert {row.host for row in store.workers("toy")} == hosts(topology)
        assert_secrets_stay_in_files(topology, workers)

        wait_amid_trial(store, workers[1]).kill()
        drained = wait_amid_trial(store, workers.pop(0))
        drained.send_signal(signal.SIGTERM)
        assert drained.wait(30) == DRAINED
        workers.append(topology.start("worker", there))  # as `restart: on-failure` does

        assert_page_asks_for_its_token(topology)
        assert [each.wait(60) for each in workers[1:]] == [DONE, DONE]
        assert_nothing_is_lost(store)
    assert page.poll() is None


def test_a_machine_writes_to_its_own_folders_alone(topology: Topology, tmp_path: Path) -> None:
    machine = topology.machines[0]
    if not machine.is_apart:
        pytest.skip("needs root and iproute2, for a root of its own")

    touched = {
        place: subprocess.run(
            [*machine.words([tmp_path]), "touch", str(place / "probe")],
            capture_output=True,
            check=False,
        ).returncode
        for place in (tmp_path, topology.lab, ROOT)
    }

    assert touched == {tmp_path: 0, topology.lab: 1, ROOT: 1}


def assert_stored(topology: Topology) -> None:
    stored = topology.start("study", topology.machines[0])
    told, _ = stored.communicate(timeout=60)
    assert stored.returncode == DONE, told
    assert "toy is stored" in told


def assert_secrets_stay_in_files(topology: Topology, workers: list[subprocess.Popen[str]]) -> None:
    (password,) = read_secrets(topology.lab / "secrets" / "search").values()
    for worker in workers:
        for file in ("cmdline", "environ"):
            assert password.encode() not in Path(f"/proc/{worker.pid}/{file}").read_bytes()


def assert_page_asks_for_its_token(topology: Topology) -> None:
    lines = (topology.lab / "secrets" / "tokens").read_text().splitlines()
    token = dict(line.split(": ") for line in lines)["viewer"]
    with httpx.Client(base_url=f"http://127.0.0.1:{topology.port}") as client:
        assert client.get("/s/toy").status_code in (303, 401)
        shown = client.get("/s/toy", headers={"Authorization": f"Bearer {token}"})
    assert shown.status_code == 200
    assert "toy" in shown.text


def assert_nothing_is_lost(store: Store) -> None:
    trials, attempts = store.trials("toy"), store.attempts("toy")
    assert [trial.number for trial in trials] == list(range(TRIALS))
    assert {trial.state for trial in trials} == {"COMPLETE"}
    assert [(row.number, row.epoch) for row in store.epochs("toy")] == [
        (number, epoch) for number in range(TRIALS) for epoch in range(1, EPOCHS + 1)
    ]
    assert all(attempt.ended_at for attempt in attempts)
    ends: list[Any] = [attempt.reason for attempt in attempts]
    assert sorted(ends) == ["drained", *["finished"] * TRIALS, "lost"]
    # The next attempt at each went on from the checkpoint of a machine that it does not share a
    # home with.
    for broken in (each for each in attempts if each.reason in ("drained", "lost")):
        (next_one,) = (
            each
            for each in attempts
            if (each.number, each.attempt) == (broken.number, broken.attempt + 1)
        )
        assert broken.epochs + next_one.epochs == EPOCHS
        assert broken.epochs >= 2


def wait_amid_trial(store: Store, process: subprocess.Popen[str]) -> subprocess.Popen[str]:
    """Return a worker's process once it has a trial that goes on for some more epochs."""
    assert wait_until(lambda: 2 <= recorded_by(store, process) <= EPOCHS // 2, 60)
    return process


def recorded_by(store: Store, process: subprocess.Popen[str]) -> int:
    """Count the epochs that a process's worker has recorded of a trial that goes on."""
    names = {row.worker for row in store.workers("toy") if row.pid == process.pid}
    assert process.poll() is None, process.communicate()[0]
    return max(
        (row.epochs for row in store.attempts("toy") if row.worker in names and not row.ended_at),
        default=0,
    )


def hosts(topology: Topology) -> set[str]:
    return {
        machine.name if machine.is_apart else socket.gethostname() for machine in topology.machines
    }


def _replaced(word: str, places: Mapping[str, str]) -> str:
    """Put the folders of this machine in the place of a container's."""
    for inside, place in places.items():
        if word == inside or word.startswith(f"{inside}/"):
            return place + word.removeprefix(inside)
    return word
