"""Python as these packages need it, whatever the environment says.

Text and file names are UTF-8, modules of ours come before others of their names, and no variable
of Python's changes how a program runs. Child processes get the same, by inheritance.
"""

import os
import pwd
import sys
from collections.abc import Mapping
from contextlib import suppress

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - early
SETTLED = "SEARCH_SETTLED"  # set for a settled process and its children: the ROOT of its packages
BEFORE = "SEARCH_"  # put before the name of each variable of Python's, for scripts of the user's
# The variables of Python that say where files are or how to look for a fault; all others go.
KEPT = {
    "PYTHONHOME",
    "PYTHONPLATLIBDIR",
    "PYTHONNOUSERSITE",
    "PYTHONUSERBASE",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPYCACHEPREFIX",
    "PYTHONFAULTHANDLER",
    "PYTHONUNBUFFERED",
}


def settle() -> None:
    """Start this program anew in a settled environment; return where that has been done."""
    _open_streams()
    if os.environ.get(SETTLED) == ROOT or not sys.executable:
        return
    command = [sys.executable, "-P", "-m", "search.cli", *sys.argv[1:]]
    with suppress(OSError):  # then it goes on as it is
        os.execve(sys.executable, command, settled(os.environ, sys.path))


def settled(environment: Mapping[str, str], path: list[str]) -> dict[str, str]:
    """Return an environment in which every Python finds these packages and reads UTF-8.

    path: where this process looks for modules.
    """
    kept = {
        name: value
        for name, value in environment.items()
        if name in KEPT or not name.startswith("PYTHON")
    }
    python = {name: text for name, text in environment.items() if name.startswith("PYTHON")}
    before = {f"{BEFORE}{name}": text for name, text in python.items()}
    lab = [each for each in environment.get("PYTHONPATH", "").split(os.pathsep) if each]
    search_path = os.pathsep.join(_in_order(path, lab))
    return {
        **_identity(environment),
        **kept,
        "PYTHONPATH": search_path,
        "PYTHONUTF8": "1",
        SETTLED: ROOT,
        **before,
    }


def _in_order(path: list[str], lab: list[str]) -> list[str]:
    """Put the standard library first, then these packages, the installed ones, and the lab's."""
    own = [each for each in path if os.path.isabs(each) and each not in (ROOT, *lab)]  # noqa: PTH117
    if path and not sys.flags.safe_path:
        own = [each for each in own if each != path[0]]  # the folder of the script, or this one
    installed = [each for each in own if each.endswith(("site-packages", "dist-packages"))]
    first = own.index(installed[0]) if installed else len(own)
    return list(dict.fromkeys([*own[:first], ROOT, *own[first:], *lab]))


def _identity(environment: Mapping[str, str]) -> dict[str, str]:
    """Return a name and a home for a user id without them, which libraries ask for."""
    try:
        user = pwd.getpwuid(os.getuid())
    except KeyError:
        named = any(environment.get(name) for name in ("LOGNAME", "USER", "LNAME", "USERNAME"))
        return {"HOME": "/"} | ({} if named else {"USER": str(os.getuid())})
    return {"HOME": user.pw_dir}


def _open_streams() -> None:
    """Open closed streams on nothing, so that no file takes the number of one."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
