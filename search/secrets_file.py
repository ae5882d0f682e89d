"""The file of `SEARCH_SECRETS_FILE`: passwords and tokens that stand in no environment.

What search itself reads goes into the settings alone. What libpq and boto3 read goes into the
environment of this process, and its name into one more variable, so that neither a script of the
user's nor the program of a cluster gets it from us.
"""

import os
import stat
from collections.abc import Iterable, Mapping, MutableMapping
from difflib import get_close_matches
from pathlib import Path

from objectives.script.environment import FROM_SECRETS
from search.errors import UsageError

VARIABLE = "SEARCH_SECRETS_FILE"
DATABASE_URL = "SEARCH_DATABASE_URL"
OURS = (
    DATABASE_URL,
    "SEARCH_VIEWER_DATABASE_URL",
    "SEARCH_DASHBOARD_TOKEN",
    "SEARCH_WEBHOOK",
    "SEARCH_WEBHOOK_SECRET",
    "SEARCH_WEBHOOK_FILE",
)
# "Environment Variables" of libpq 18, without those that set the defaults of a session.
_OF_LIBPQ = """
HOST HOSTADDR PORT DATABASE USER PASSWORD PASSFILE REQUIREAUTH CHANNELBINDING SERVICE
SERVICEFILE OPTIONS APPNAME SSLMODE REQUIRESSL SSLNEGOTIATION SSLCOMPRESSION SSLCERT SSLKEY
SSLCERTMODE SSLROOTCERT SSLCRL SSLCRLDIR SSLSNI REQUIREPEER SSLMINPROTOCOLVERSION
SSLMAXPROTOCOLVERSION GSSENCMODE KRBSRVNAME GSSLIB GSSDELEGATION CONNECT_TIMEOUT CLIENTENCODING
TARGETSESSIONATTRS LOADBALANCEHOSTS MINPROTOCOLVERSION MAXPROTOCOLVERSION
"""
LIBPQ = tuple(f"PG{name}" for name in _OF_LIBPQ.split())
# boto3 reads more of them in each version; only a name that is nearly one of these is refused.
AWS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
)
MOST_BYTES = 1_000_000
NAMES_FIX = "write passwords and tokens alone into it; docs/operations.md lists their names"


def with_secrets(environment: MutableMapping[str, str], path: Path) -> Mapping[str, str]:
    """Return an environment with the secrets of a file; those of libraries are put into it, too.

    A variable that is set already, and not blank, is kept; one of an earlier file is not. Raises
    UsageError, which never quotes the file.
    """
    for name in environment.pop(FROM_SECRETS, "").split():
        environment.pop(name, None)
    given = {name for name, text in environment.items() if text.strip()}
    secrets = {name: text for name, text in read_secrets(path).items() if name not in given}
    libraries = {name: text for name, text in secrets.items() if name not in OURS}
    environment.update(libraries)
    if libraries:
        environment[FROM_SECRETS] = " ".join(sorted(libraries))
    return {**environment, **secrets}


def read_secrets(path: Path) -> dict[str, str]:
    """Read lines `NAME=VALUE` of a file that others cannot open; `#` begins a comment line.

    A value goes to the end of its line, with every blank and quote. Raises UsageError.
    """
    try:
        with open(path, "rb", opener=_opened) as file:
            _check_mode(path, os.fstat(file.fileno()).st_mode)
            content = file.read(MOST_BYTES + 1)
            text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _wrong(path, "is not UTF-8", "write it as text in UTF-8") from None
    except OSError as error:
        fix = f"write it there, readable for this user, or change {VARIABLE} or --secrets"
        raise _wrong(path, f"cannot be read ({error.strerror})", fix) from None
    if len(content) > MOST_BYTES:
        raise _wrong(path, f"has over {MOST_BYTES} bytes", "name the file of secrets itself")
    return _parse(path, text.split("\n"))


def _opened(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a pipe waits for its other end


def _check_mode(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise _wrong(path, "is not a file", "name a file that each process can read again")
    if mode & 0o007:  # the group may: so Kubernetes hands a secret to a process
        found = f"is open to every user (mode {stat.S_IMODE(mode):04o})"
        raise _wrong(path, found, f"close it: `chmod 600 {path}`")


def _parse(path: Path, lines: Iterable[str]) -> dict[str, str]:
    secrets: dict[str, str] = {}
    for number, line in enumerate((line.removesuffix("\r") for line in lines), 1):
        place = f"line {number}"
        if "\r" in line:  # one line with all the secrets of the file, or a comment of them
            fix = "end each line with a line feed, as Unix does"
            raise _wrong(path, f"has a carriage return amid {place}", fix)
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, text = line.partition("=")
        if not equals:
            raise _wrong(path, f"has no `=` in {place}", "write NAME=VALUE in each line")
        _check_name(path, name, place)
        if name in secrets:
            raise _wrong(path, f"has {name} a second time in {place}", "remove one of them")
        if not text.strip() or "\0" in text:
            fix = "write the value right behind the `=`, or remove the line"
            raise _wrong(path, f"has no value for {name} in {place}", fix)
        secrets[name] = text
    return secrets


def _check_name(path: Path, name: str, place: str) -> None:
    """Refuse a name that is not known. It is not quoted: it may be half of a secret."""
    known = (*OURS, *LIBPQ, *AWS)
    if name in known:
        return
    close = get_close_matches(name.upper(), known, 1, 0.73)
    is_new = name.startswith("AWS_") and name.replace("_", "").isalnum() and name.isupper()
    if close or not is_new:
        fix = f"did you mean {close[0]}? Write NAME=VALUE without blanks" if close else NAMES_FIX
        raise _wrong(path, f"has an unknown name in {place}", fix)


def _wrong(path: Path, found: str, fix: str) -> UsageError:
    return UsageError(f"the file of secrets {path} {found}", fix)
