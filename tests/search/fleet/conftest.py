"""A Ray cluster of two nodes, and a desk beside it at which the commands of a fleet are typed."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.fleet.nodes import Nodes, ray_nodes, store_toy
from search.cli import main
from storage.locks import wait_until
from storage.store import Store

PASSWORD = "blauwal-77-herbst"
PATIENCE_SECONDS = 60.0
LEASE_SECONDS = 4
LOOK_SECONDS = 0.5


@dataclass
class Desk:
    """The home of the person who starts the fleet, and the database of its study `toy`."""

    nodes: Nodes
    store: Store
    secrets: Path
    capsys: pytest.CaptureFixture[str]

    def up(self, *words: str) -> int:
        """Start the fleet on the nodes, or change it."""
        at = ["--engine", "ray", "--address", self.nodes.address, "--secrets", str(self.secrets)]
        return main(["fleet", "up", "--study", "toy", *at, *words])

    def down(self, *words: str) -> int:
        """End the fleet."""
        return main(["fleet", "down", "--study", "toy", *words])

    def status(self) -> list[dict[str, Any]]:
        """Return the places of the fleet."""
        self.capsys.readouterr()
        assert main(["fleet", "status", "--study", "toy", "--json"]) == 0
        return list(json.loads(self.capsys.readouterr().out))

    def said(self) -> tuple[str, str]:
        """Return the words of the last commands on stdout and stderr."""
        out, err = self.capsys.readouterr()
        return out, err

    def wait_for_trials(self, count: int) -> list[dict[str, Any]]:
        """Wait until so many workers have a trial and no other is there; return the places."""
        assert wait_until(lambda: self.trials_held() == count, PATIENCE_SECONDS), self.status()
        return self.status()

    def trials_held(self) -> int:
        """Count the workers that live and have a trial; 0 while one has none."""
        time.sleep(LOOK_SECONDS)  # a look at all processes costs more than the workers themselves
        rows = {row.pid: row for row in self.store.workers("toy") if row.ended_at is None}
        held = [rows[pid].trial is not None if pid in rows else False for pid in self.pids()]
        return sum(held) if all(held) else 0

    def pids(self) -> list[int]:
        """Return the processes of the fleet's workers on this machine."""
        return [each.pid for each in psutil.process_iter() if self._is_worker(each)]

    def is_empty(self) -> bool:
        """Say whether no worker is there."""
        return not self.pids()

    def _is_worker(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error):
            words, environment = process.cmdline(), process.environ()
            is_worker = "worker" in words and "--check" not in words
            return is_worker and environment.get("SEARCH_SECRETS_FILE") == str(self.secrets)
        return False


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    pytest.importorskip("ray", reason="needs ray")
    with ray_nodes() as nodes:
        yield nodes


@pytest.fixture
def desk(
    nodes: Nodes,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Desk]:
    """A desk beside the shared nodes, whose fleet is down at the end, also where a test fails."""
    secrets = tmp_path / "secrets"
    secrets.touch(mode=0o600)
    secrets.write_text(f"SEARCH_DATABASE_URL={database_url}\nPGPASSWORD={PASSWORD}\n")
    for name in [name for name in os.environ if name.startswith(("SEARCH_", "PG"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PGPASSWORD", "")  # so that what the file puts there goes at the end
    for name, text in {
        "SEARCH_SECRETS_FILE": secrets,
        "SEARCH_HOME": tmp_path / "desk",
        "SEARCH_ARTIFACTS": tmp_path / "shared",
        "SEARCH_LEASE_SECONDS": LEASE_SECONDS,
    }.items():
        monkeypatch.setenv(name, str(text))
    with Store.open(database_url) as store:
        store_toy(store, tmp_path / "desk")
        desk = Desk(nodes, store, secrets, capsys)
        yield desk
        desk.down("--now")
        assert wait_until(desk.is_empty, 10), desk.pids()
