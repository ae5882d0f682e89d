"""A file of passwords and tokens, named by SEARCH_SECRETS_FILE."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest

from objectives.script.environment import script_environment, without_secrets
from search.errors import UsageError
from search.processes.machine import commit
from search.secrets_file import LIBPQ, read_secrets
from search.settings import Settings, read_settings

SECRET = "p\"a's=s #w ö$rd`"


def written(folder: Path, content: str | bytes, mode: int = 0o600) -> Path:
    """Write a file of secrets and return its path."""
    file = folder / "secrets"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    file.chmod(mode)
    return file


def settings_of(environment: dict[str, str], file: Path) -> Settings:
    environment["SEARCH_SECRETS_FILE"] = str(file)
    return read_settings(environment)


def test_a_value_goes_to_the_end_of_its_line_whatever_is_in_it(tmp_path: Path) -> None:
    lines = (
        f"# ours\n\n  # too\nPGPASSWORD={SECRET} \nSEARCH_DASHBOARD_TOKEN=writer: x\x0bx\x85\r\n"
    )

    found = read_secrets(written(tmp_path, lines))

    assert found == {"PGPASSWORD": f"{SECRET} ", "SEARCH_DASHBOARD_TOKEN": "writer: x\x0bx\x85"}


def test_the_group_may_read_it_and_a_mark_of_its_encoding_is_no_name(tmp_path: Path) -> None:
    file = written(tmp_path, b"\xef\xbb\xbfPGPASSWORD=x", mode=0o440)

    assert read_secrets(file) == {"PGPASSWORD": "x"}


def test_what_search_reads_itself_is_in_the_settings_and_in_no_environment(tmp_path: Path) -> None:
    file = written(tmp_path, "SEARCH_DATABASE_URL=postgresql://a:b@c/d\nSEARCH_WEBHOOK_SECRET=s")
    environment: dict[str, str] = {}

    settings = settings_of(environment, file)

    assert settings.database_url == "postgresql://a:b@c/d"
    assert (settings.webhook_secret, settings.secrets_file) == ("s", file)
    assert environment == {"SEARCH_SECRETS_FILE": str(file)}


def test_what_libraries_read_is_in_the_environment_of_this_process_alone(tmp_path: Path) -> None:
    file = written(tmp_path, f"PGPASSWORD={SECRET}\nAWS_SECRET_ACCESS_KEY=k\nAWS_REGION=eu\n")
    environment = {"PGUSER": "me", "PATH": "/bin"}

    settings_of(environment, file)
    settings_of(environment, file)  # a second reading, as where an error is written down

    assert environment["PGPASSWORD"] == SECRET
    assert environment["AWS_SECRET_ACCESS_KEY"] == "k"
    handed_on = {"PGUSER": "me", "PATH": "/bin", "SEARCH_SECRETS_FILE": str(file)}
    assert without_secrets(environment) == handed_on
    script = script_environment(environment, {})
    assert {"PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"}.isdisjoint(script)
    assert script["PGUSER"] == "me"  # the user has set it, for every program


def test_a_variable_that_is_set_is_kept_and_a_blank_one_is_not(tmp_path: Path) -> None:
    file = written(tmp_path, "PGPASSWORD=file\nSEARCH_DATABASE_URL=postgresql://file/db\n")
    environment = {"PGPASSWORD": "own", "SEARCH_DATABASE_URL": " "}

    settings = settings_of(environment, file)

    assert settings.database_url == "postgresql://file/db"
    assert environment["PGPASSWORD"] == "own"
    assert without_secrets(environment)["PGPASSWORD"] == "own"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("hunter2", "has no `=` in line 1; write NAME=VALUE"),
        ("\n\nhunter2==", "has an unknown name in line 3; write passwords and tokens alone"),
        ("PGPASWORD=hunter2", "has an unknown name in line 1; did you mean PGPASSWORD?"),
        ("export PGPASSWORD=hunter2", "did you mean PGPASSWORD?"),
        ("PGPASSWORD =hunter2", "did you mean PGPASSWORD? Write NAME=VALUE without blanks"),
        ("AWS_SECRET_KEY=hunter2", "did you mean AWS_SECRET_ACCESS_KEY?"),
        ("SEARCH_HOME=hunter2", "has an unknown name in line 1; write passwords and tokens alone"),
        ("#\nPGPASSWORD=hunter2\nPGPASSWORD=hunter2", "has PGPASSWORD a second time in line 3"),
        ("PGPASSWORD= ", "has no value for PGPASSWORD in line 1; write the value right behind"),
        ("PGPASSWORD=hunter2\0", "has no value for PGPASSWORD in line 1"),
        ("PGUSER=me\rPGPASSWORD=hunter2", "has a carriage return amid line 1; end each line with"),
        ("# mine\rPGPASSWORD=hunter2\r", "has a carriage return amid line 1; end each line with"),
        (b"PGPASSWORD=hunter2\xff", "is not UTF-8; write it as text in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_without_a_word_of_it(
    tmp_path: Path, content: str | bytes, line: str
) -> None:
    with pytest.raises(UsageError) as refused:
        read_secrets(written(tmp_path, content))

    assert line in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_file_that_is_far_too_large_is_not_read_into_memory(tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    file.touch(mode=0o600)
    os.truncate(file, 2**40)
    with pytest.raises(UsageError, match="has over 1000000 bytes; name the file of secrets itself"):
        read_secrets(file)


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o601, 0o644])
def test_a_file_that_others_may_open_is_refused(tmp_path: Path, mode: int) -> None:
    file = written(tmp_path, "PGPASSWORD=x", mode)

    with pytest.raises(UsageError, match=rf"mode {mode:04o}\); close it: `chmod 600 {file}`"):
        read_secrets(file)


def test_a_path_without_a_file_of_ones_own_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)

    with pytest.raises(UsageError, match="pipe is not a file; name a file"):
        read_secrets(tmp_path / "pipe")
    with pytest.raises(UsageError, match=r"cannot be read \(Is a directory\)"):
        read_secrets(tmp_path)
    with pytest.raises(UsageError, match=r"\(No such file or directory\); write it there"):
        read_secrets(tmp_path / "gone")


def test_nothing_of_an_earlier_file_counts_beside_another(tmp_path: Path) -> None:
    environment: dict[str, str] = {}
    settings_of(environment, written(tmp_path, "PGPASSWORD=old\nPGUSER=old"))
    settings_of(environment, written(tmp_path, "PGPASSWORD=new"))

    assert environment["PGPASSWORD"] == "new"
    assert "PGUSER" not in environment


def test_the_names_of_libpq_are_those_of_the_installed_one() -> None:
    (library,) = Path(psycopg2.__file__).parents[1].glob("psycopg2*/libpq*.so*")
    text = library.read_bytes()

    missing = [name for name in LIBPQ if name.encode() + b"\0" not in text]
    assert set(missing) <= {"PGSSLNEGOTIATION", "PGMINPROTOCOLVERSION", "PGMAXPROTOCOLVERSION"}


def test_every_command_reads_it_and_says_in_one_line_what_is_wrong(tmp_path: Path) -> None:
    file = written(tmp_path, "PGPASWORD=hunter2")
    environment = {**os.environ, "SEARCH_SECRETS_FILE": str(file), "SEARCH_HOME": str(tmp_path)}
    command = [sys.executable, "-P", "-m", "search.cli", "parameters"]

    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "has an unknown name in line 1; did you mean PGPASSWORD?" in done.stderr


def test_git_that_is_asked_for_a_commit_gets_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "git"
    program.write_text(f"#!/bin/sh\nenv > {tmp_path}/seen\necho 1a2b3c\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("SEARCH_FROM_SECRETS", "PGPASSWORD")
    monkeypatch.setenv("PGPASSWORD", "geheim")

    assert commit() == "1a2b3c+changes"
    assert "geheim" not in (tmp_path / "seen").read_text()
