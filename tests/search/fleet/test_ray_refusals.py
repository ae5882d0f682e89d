"""What `search fleet up` refuses before it has started anything on Ray."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from search.cli import main
from search.errors import UsageError
from search.fleet.engine import open_engine
from storage.store import Store
from tests.storage.samples import new_study

UP = ["fleet", "up", "--study", "toy", "--engine", "ray"]


@pytest.fixture
def study(database_url, tmp_path, monkeypatch):
    monkeypatch.setenv("SEARCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SEARCH_DATABASE_URL", database_url)
    with Store.open(database_url) as store:
        store.create(new_study("toy"))


@pytest.fixture
def secrets(tmp_path, database_url):
    file = tmp_path / "secrets"
    file.touch(mode=0o600)
    file.write_text(f"SEARCH_DATABASE_URL={database_url}\n")
    return str(file)


def test_a_fleet_without_a_file_of_secrets_is_refused(study, capsys):
    pytest.importorskip("ray", reason="needs ray")
    assert main(UP) == 2
    assert "name it with --secrets FILE" in capsys.readouterr().err


def test_a_file_of_secrets_without_the_database_is_refused(study, secrets, capsys):
    pytest.importorskip("ray", reason="needs ray")
    Path(secrets).write_text("PGPASSWORD=x\n")
    assert main([*UP, "--secrets", secrets]) == 2
    assert "has no SEARCH_DATABASE_URL" in capsys.readouterr().err


def test_a_fleet_on_the_embedded_postgres_is_refused(tmp_path, monkeypatch, secrets, capsys):
    pytest.importorskip("ray", reason="needs ray")
    Path(secrets).write_text("")
    monkeypatch.setenv("SEARCH_HOME", str(tmp_path / "home"))
    assert main([*UP, "--secrets", secrets]) == 2
    assert "answers on its own machine only" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["head", "ray://head:10001", "head:"])
def test_an_address_that_is_none_is_refused(study, secrets, capsys, address):
    pytest.importorskip("ray", reason="needs ray")
    assert main([*UP, "--secrets", secrets, "--address", address]) == 2
    assert "is not HOST:PORT; give --address or RAY_ADDRESS that" in capsys.readouterr().err


def test_where_no_cluster_answers_the_fix_is_named_at_once(study, secrets, capsys):
    pytest.importorskip("ray", reason="needs ray")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
        assert main([*UP, "--secrets", secrets, "--address", address]) == 2
    assert f"no Ray cluster answers at {address}; start one with" in capsys.readouterr().err


def test_where_nothing_answers_at_rays_variable_its_fix_is_named_at_once(
    study, secrets, capsys, monkeypatch
):
    pytest.importorskip("ray", reason="needs ray")
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    assert main([*UP, "--secrets", secrets]) == 2
    assert "no Ray cluster answers at 127.0.0.1:1;" in capsys.readouterr().err


def test_a_cluster_of_another_version_is_told_in_one_line():
    utils = pytest.importorskip("ray._private.utils", reason="needs ray")
    from search.fleet.ray.cluster import explained

    with pytest.raises(RuntimeError) as error:
        utils.check_version_info({"ray_version": "2.9.0", "python_version": "3.9.1"}, "here")
    found, fix = explained(str(error.value))
    assert "Ray 2.9.0, Python 3.9.1, Ray 2." in found
    assert fix == "install the cluster's versions of Python and ray here"


def test_without_ray_the_command_that_installs_it_is_named(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("search.fleet.ray")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match="not installed") as error:
        open_engine("ray")
    assert error.value.fix == "pip install 'search[ray]'"


def test_help_loads_no_ray():
    code = "import sys; from search.cli import main\ntry: main(['fleet', 'up', '--help'])\n"
    code += "except SystemExit: pass\nassert 'ray' not in sys.modules, 'loaded'"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
