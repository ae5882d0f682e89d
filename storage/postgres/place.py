"""The folder in which a home's embedded Postgres lives: in the home, for root behind a link."""

import os
import shlex
import shutil
import tempfile
from pathlib import Path

from storage.errors import StorageError, explained
from storage.postgres.programs import FOLDER_FOR_ROOT, folder_for_root, is_root

NAME = "postgres"
BACK = "home"  # in a folder that a link leads to: a link back to the home whose data it holds
PREFIX = "postgres-of-"


def cluster_path(home: Path) -> Path:
    """Return the path of the home's cluster, made or not."""
    return home / NAME


@explained()
def cluster_folder(home: Path) -> Path:
    """Return the folder of the home's cluster, made: home/postgres, for root a link.

    Raises StorageError when the folder is gone, or belongs to another user or another home.
    """
    path = cluster_path(home)
    home.mkdir(parents=True, exist_ok=True)
    if is_root() and not os.path.lexists(path):
        _link_to_folder_for_root(path)
    elif not path.is_symlink():
        path.mkdir(mode=0o700, exist_ok=True)
    folder = path.resolve()
    if not folder.exists():
        raise StorageError(
            f"{folder}: the data of this home's Postgres is gone",
            f"bring the folder back, or remove {path} to begin with an empty database",
        )
    _refuse_foreign(folder, home)
    if path.is_symlink():  # root's, or one that a user made to keep the data on another disk
        _refuse_copy(folder, home)
    return folder


def abandoned() -> list[Path]:
    """List root's folders whose home is gone, or leads to another one by now."""
    return [
        folder
        for folder in sorted(FOLDER_FOR_ROOT.glob(f"{PREFIX}*"))
        if (home := _home_of(folder)) is None or not _leads_to(home, folder)
    ]


def _refuse_foreign(folder: Path, home: Path) -> None:
    uid = folder.stat().st_uid
    if is_root() and uid == 0 and folder.parent != FOLDER_FOR_ROOT:
        raise StorageError(
            f"{folder} belongs to root, and Postgres does not run as root",
            f"give it to an ordinary user, chown -R USER {shlex.quote(str(home))}, and run search "
            "as that user, or choose another home with SEARCH_HOME",
        )
    is_ours = folder.parent == FOLDER_FOR_ROOT if is_root() else uid == os.geteuid()
    if not is_ours:
        raise StorageError(
            f"{folder} (uid {uid}) is not ours (uid {os.geteuid()})",
            "run search as the user who made it, or choose another home with SEARCH_HOME",
        )


def _refuse_copy(folder: Path, home: Path) -> None:
    """Refuse a copied home, whose link leads to the database of another; note where ours is now."""
    noted = _home_of(folder)
    if noted and noted.exists() and noted.samefile(home):
        return
    if noted and _leads_to(noted, folder):
        path, own = (shlex.quote(str(each)) for each in (cluster_path(home), f"{folder}-copy"))
        raise StorageError(
            f"{home} is a copy of {noted}, and both lead to one database, {folder}",
            f"remove {path} to begin with an empty one, or give the copy its own: SEARCH_HOME="
            f"{shlex.quote(str(noted))} search database stop && cp -a {folder} {own} && "
            f"ln -sfn {own} {path}",
        )
    fresh = folder / f"{BACK}.{os.getpid()}"
    fresh.symlink_to(home.absolute())
    fresh.replace(folder / BACK)


def _home_of(folder: Path) -> Path | None:
    """Read which home a linked folder belongs to; None where that is not noted."""
    back = folder / BACK
    return back.readlink() if back.is_symlink() else None


def _leads_to(home: Path, folder: Path) -> bool:
    return cluster_path(home).resolve() == folder


def _link_to_folder_for_root(path: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder_for_root()))
    folder.chmod(0o755)  # the server's user must pass through to its own folders below
    (folder / BACK).symlink_to(path.parent.absolute())  # whose data these are
    try:
        path.symlink_to(folder)
    except OSError as error:
        shutil.rmtree(folder)
        if not isinstance(error, FileExistsError):  # else another process was faster
            raise
