"""`search fleet up` that only shows or writes what it would start."""

import stat
from pathlib import Path

import pytest
import yaml

from search.cli import main
from search.settings import Settings
from storage.store import Store
from tests.search.toy_worker import make_worker

NOWHERE = "/nowhere"


@pytest.fixture
def settings(
    store: Store, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """A home whose database has the study toy, on a machine without Slurm and kubectl."""
    make_worker(store, tmp_path)
    secrets = tmp_path / "secrets"
    secrets.write_text(f"SEARCH_DATABASE_URL={database_url}\n")
    secrets.chmod(0o600)
    monkeypatch.setenv("SEARCH_HOME", str(tmp_path))
    monkeypatch.setenv("SEARCH_DATABASE_URL", database_url)
    monkeypatch.setenv("PATH", NOWHERE)
    return Settings(home=tmp_path)


def up(settings: Settings, engine: str, *words: str) -> int:
    ours = ("--study", "toy", "--workers", "2", "--secrets", str(settings.home / "secrets"))
    return main(["fleet", "up", "--engine", engine, *ours, *words])


def test_print_shows_a_script_and_starts_nothing(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert up(settings, "slurm", "--print", "--sbatch=--account=lab", "--time", "1:00:00") == 0

    script = capsys.readouterr().out
    assert script.startswith("#!/bin/bash\n")
    assert "#SBATCH --account=lab\n" in script
    assert not (settings.study_folder("toy") / "fleet.json").exists()


def test_out_writes_a_kustomize_base_and_says_how_to_apply_it(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    out = settings.home / "base"

    assert up(settings, "k8s", "--out", str(out)) == 0

    job = yaml.safe_load((out / "job.yaml").read_text())
    assert job["spec"]["completions"] == 2
    assert f"kubectl apply -k {out}" in capsys.readouterr().out
    assert not (out / "secrets").exists()


def test_without_kubectl_the_manifests_are_ready_to_be_applied(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert up(settings, "k8s") == 2

    folder = settings.study_folder("toy") / "kubernetes"
    error = capsys.readouterr().err.strip()
    assert error.endswith(f"where there is one, type: kubectl apply -k {folder}")
    assert stat.S_IMODE((folder / "secrets").stat().st_mode) == 0o600


def test_kubectl_gets_no_secret_of_the_file_and_leaves_no_copy_of_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubectl, seen = settings.home / "kubectl", settings.home / "seen"
    kubectl.write_text(
        f"#!/bin/sh\n/usr/bin/env >> {seen}\n"
        'if [ "$1" = apply ]; then exec /bin/cat "$3/secrets"; fi\necho \'{"items": []}\'\n'
    )
    kubectl.chmod(0o700)
    monkeypatch.setenv("PATH", str(settings.home))
    monkeypatch.setenv("AWS_SESSION_TOKEN", "")  # so that what the file puts there goes at the end
    with (settings.home / "secrets").open("a") as file:
        file.write("AWS_SESSION_TOKEN=of-the-bucket\n")

    assert up(settings, "k8s") == 0

    assert "of-the-bucket" not in seen.read_text()
    assert not (settings.study_folder("toy") / "kubernetes" / "secrets").exists()


def test_a_kubectl_that_fails_leaves_no_copy_of_the_secrets(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kubectl = settings.home / "kubectl"
    kubectl.write_text("#!/bin/sh\necho 'connection refused' >&2\nexit 1\n")
    kubectl.chmod(0o700)
    monkeypatch.setenv("PATH", str(settings.home))

    assert up(settings, "k8s") == 2

    assert "says: connection refused; mend that" in capsys.readouterr().err
    assert not (settings.study_folder("toy") / "kubernetes" / "secrets").exists()


def test_without_slurm_nothing_is_submitted(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert up(settings, "slurm") == 2

    assert "this machine has no squeue" in capsys.readouterr().err
