"""`search fleet` and the fleet that the home remembers."""

import pytest

from search.cli import main
from search.fleet.engine import Fleet
from search.fleet.remember import remember
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


@pytest.mark.parametrize("command", ["up", "status", "down"])
def test_another_engine_than_that_of_the_fleet_is_refused(fleet_on_ray, capsys, command):
    assert main(["fleet", command, "--study", "toy", "--engine", "slurm"]) == 2
    assert "toy has a fleet on ray, not on slurm; leave --engine out" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["up", "status", "down"])
def test_every_command_asks_the_cluster_at_the_remembered_address(fleet_on_ray, capsys, command):
    assert main(["fleet", command, "--study", "toy"]) == 2
    assert "no Ray cluster answers at 127.0.0.1:1" in capsys.readouterr().err
