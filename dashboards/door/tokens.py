"""The tokens that let visitors in: a file of its owner's, or a variable of the environment."""

import os
import re
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from dashboards.door.visitors import Role
from spaces.errors import UserError

SHORTEST = 16
WORD = re.compile(r"[!-~]+")  # what a header can carry
NEW = "make a good one with `search dashboard --new-token-file FILE`"


class TokenError(UserError):
    """Tokens that cannot be used, or are not kept from others."""


@dataclass(frozen=True)
class Tokens:
    """The SHA-256 of each role's token; the tokens themselves are not kept."""

    digests: Mapping[Role, bytes]

    def role_of(self, token: str) -> Role | None:
        """Return the role that a token opens, in the same time for every wrong one."""
        given, found = sha256(token.encode()).digest(), None
        for role, digest in self.digests.items():
            if secrets.compare_digest(given, digest):
                found = role
        return found

    def mark(self, role: Role) -> str:
        """Return a mark of the role's token: with another token, older sessions have ended."""
        return sha256(b"mark" + self.digests.get(role, b"")).hexdigest()[:16]


def read_token_file(path: Path) -> Tokens:
    """Read the tokens of a file that only we can read. Raises TokenError."""
    try:
        with path.open(encoding="utf-8") as file:
            _check_owner(path, os.fstat(file.fileno()))
            return parse_tokens(file.read(), str(path))
    except OSError as error:
        raise TokenError(
            f"{path}: {error.strerror}", f"write it with `search dashboard --new-token-file {path}`"
        ) from error
    except UnicodeDecodeError:
        raise TokenError(f"{path} is not text", NEW) from None


def parse_tokens(text: str, place: str) -> Tokens:
    """Read lines such as `viewer: TOKEN` and `writer: TOKEN`; a single bare token is a viewer's.

    place: of the text, for the message of a TokenError, which never quotes a token.
    """
    digests: dict[Role, bytes] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not (words := line.partition("#")[0].strip()):
            continue
        role, token = _role_and_token(words, f"{place}, line {number}")
        if role in digests or sha256(token.encode()).digest() in digests.values():
            raise TokenError(
                f"{place}, line {number}: a second token of the {role}'s, or the same one again",
                "give each role one token of its own",
            )
        digests[role] = sha256(token.encode()).digest()
    if not digests:
        raise TokenError(f"{place} has no token", NEW)
    return Tokens(digests)


def write_token_file(path: Path) -> None:
    """Write a new file with a token for each role that only we can read. Raises TokenError."""
    lines = [f"{role}: {secrets.token_urlsafe(32)}\n" for role in Role]
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.writelines(lines)
    except FileExistsError:
        raise TokenError(f"{path} is there already", "name a new file, or remove it") from None
    except OSError as error:
        raise TokenError(f"{path}: {error.strerror}", "choose another place") from error


def _check_owner(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise TokenError(f"{path} is not a file", "name a file")
    if status.st_uid != os.geteuid():
        raise TokenError(f"{path} belongs to another user", f"take it over: `chown $USER {path}`")
    if status.st_mode & 0o077:
        raise TokenError(
            f"others can read or change {path} (mode {status.st_mode & 0o777:04o})",
            f"close it: `chmod 600 {path}`",
        )


def _role_and_token(words: str, place: str) -> tuple[Role, str]:
    name, colon, token = map(str.strip, words.partition(":"))
    if not colon:
        name, token = Role.VIEWER, words
    if name not in tuple(Role):
        raise TokenError(
            f"{place} begins with neither `viewer:` nor `writer:`", "begin it with one of them"
        )
    if not WORD.fullmatch(token):
        raise TokenError(f"{place} has a token with a blank or letters beyond ASCII", NEW)
    if len(token) < SHORTEST:
        raise TokenError(f"{place} has a token of {len(token)} letters", f"take {SHORTEST}; {NEW}")
    return Role(name), token
