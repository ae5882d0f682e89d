"""Tokens are read only from where others cannot read them, and never told again."""

import os
from pathlib import Path

import pytest

from dashboards.door.tokens import TokenError, parse_tokens, read_token_file, write_token_file
from dashboards.door.visitors import Role
from tests.dashboards.door.attackers import NOBODY, VIEWER, WRITER


def test_each_line_opens_its_role_and_a_bare_token_only_reads() -> None:
    both = parse_tokens(f"# of our group\nviewer: {VIEWER}\n\nwriter:{WRITER}\n", "here")
    bare = parse_tokens(f"{VIEWER}\n", "here")

    assert both.role_of(VIEWER) == bare.role_of(VIEWER) == Role.VIEWER
    assert both.role_of(WRITER) == Role.WRITER
    assert both.role_of("") is both.role_of(VIEWER[:-1]) is both.role_of("ü" * 20) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "here has no token"),
        ("# nothing\n", "here has no token"),
        ("writer: 123456789012345", "here, line 1 has a token of 15 letters; take 16"),
        ("writer:", "here, line 1 has a token with a blank"),
        ("writer: two words are a token", "line 1 has a token with a blank"),
        ("writer: passwörter-sind-lang", "letters beyond ASCII"),
        (f"admin: {WRITER}", "line 1 begins with neither `viewer:` nor `writer:`"),
        (f"viewer: {VIEWER}\nviewer: {WRITER}", "line 2: a second token of the viewer's"),
        (f"viewer: {VIEWER}\nwriter: {VIEWER}", "give each role one token of its own"),
    ],
    ids=["empty", "comment", "short", "none", "blank", "umlaut", "role", "twice", "same"],
)
def test_tokens_that_protect_nothing_are_refused_without_telling_them(
    text: str, found: str
) -> None:
    with pytest.raises(TokenError) as error:
        parse_tokens(text, "here")

    assert found in str(error.value)
    assert not any(token in str(error.value) for token in (VIEWER, WRITER, "123456789012345"))


def test_a_file_that_others_can_read_is_refused_with_the_command_that_closes_it(
    tmp_path: Path,
) -> None:
    file = tmp_path / "tokens"
    write_token_file(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert set(read_token_file(file).digests) == set(Role)

    file.chmod(0o640)
    with pytest.raises(TokenError, match=rf"mode 0640\); close it: `chmod 600 {file}`"):
        read_token_file(file)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_another_users_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    write_token_file(file)
    os.chown(file, NOBODY, NOBODY)

    with pytest.raises(TokenError, match="belongs to another user"):
        read_token_file(file)


def test_a_file_is_not_written_over_and_a_missing_or_odd_one_is_named(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    with pytest.raises(TokenError, match=r"No such file.*; write it with `search dashboard --new"):
        read_token_file(file)
    file.write_bytes(b"\xff\xfe")
    file.chmod(0o600)
    with pytest.raises(TokenError, match="is not text"):
        read_token_file(file)
    with pytest.raises(TokenError, match="is there already"):
        write_token_file(file)
    assert file.read_bytes() == b"\xff\xfe"
