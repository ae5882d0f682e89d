"""A session's cookie can be neither made up nor used after its end."""

import time
from pathlib import Path

import pytest

from dashboards.door.sessions import SECONDS, Sessions, read_secret
from dashboards.door.visitors import Role

SECRET = b"s" * 32


def test_a_cookie_opens_its_session_until_it_ends() -> None:
    sessions = Sessions(SECRET)
    cookie, other = (sessions.begin(Role.VIEWER, "mark") for _ in range(2))
    session = sessions.read(cookie)
    assert session
    assert (session.role, session.mark) == (Role.VIEWER, "mark")

    sessions.end(session)

    assert sessions.read(cookie) is None
    assert sessions.read(other)


def test_a_cookie_of_another_secret_or_with_another_role_opens_nothing() -> None:
    sessions = Sessions(SECRET)
    viewer, writer = (sessions.begin(role, "mark") for role in Role)
    forged = [writer.split(".")[0], *viewer.split(".")[1:]]

    assert sessions.read(Sessions(b"t" * 32).begin(Role.WRITER, "mark")) is None
    assert sessions.read(".".join(forged)) is None
    assert sessions.read(sessions.confirmation("key")) is None
    assert all(sessions.read(each) is None for each in ("", ".", "..", "a.b.c", "ü", viewer[:-1]))


def test_a_cookie_ends_after_twelve_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = Sessions(SECRET)
    cookie, now = sessions.begin(Role.VIEWER, "mark"), time.time()

    for later, is_open in ((SECONDS - 5, True), (SECONDS + 5, False), (-60, False)):
        monkeypatch.setattr(time, "time", lambda later=later: now + later)
        assert (sessions.read(cookie) is not None) is is_open


def test_a_confirmation_counts_for_its_own_session_only() -> None:
    sessions = Sessions(SECRET)
    word = sessions.confirmation("ada")

    assert sessions.is_confirmed("ada", word)
    assert not sessions.is_confirmed("eve", word)
    assert not sessions.is_confirmed("ada", "")
    assert not sessions.is_confirmed("ada", Sessions(b"t" * 32).confirmation("ada"))


def test_the_secret_stays_the_homes_and_one_that_others_may_know_is_replaced(
    tmp_path: Path,
) -> None:
    secret = read_secret(tmp_path)
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert read_secret(tmp_path) == secret

    file.chmod(0o644)
    assert read_secret(tmp_path) != secret
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_home_that_takes_no_file_has_a_secret_all_the_same(tmp_path: Path) -> None:
    missing = tmp_path / "gone"

    assert len(read_secret(missing)) == 32
    assert read_secret(None) != read_secret(None)
