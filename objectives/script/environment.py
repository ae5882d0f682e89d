"""The environment of a script: the one of the user's shell, and the facts of its trial."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

TRIAL_FILE = "SEARCH_TRIAL_FILE"  # a JSON file with the facts of the trial
REPORT_FILE = "SEARCH_REPORT"  # the file for results as lines of JSON
ANSWERS = "SEARCH_ANSWERS"  # the name of the socket at which `search.script` waits for answers
# Where `search.start` has settled this program's environment, the variables of Python as the user
# had them have this before their names.
SETTLED, BEFORE = "SEARCH_SETTLED", "SEARCH_"
FROM_SECRETS = "SEARCH_FROM_SECRETS"  # names of variables that a file of secrets has set
ROOT = Path(__file__).parents[2]  # of these packages


def script_environment(base: Mapping[str, str], facts: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a script.

    base: this process's; the variables of search itself, and the secrets of its file, are not
        handed on.
    facts: the variables that tell the trial.
    """
    changed = ("SEARCH_", "PYTHON")
    own = {
        name: text for name, text in without_secrets(base).items() if not name.startswith(changed)
    }
    own |= _python(base)
    own["PATH"] = os.pathsep.join(_programs(own))
    return {**own, "PYTHONUNBUFFERED": "1", **facts}


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without what a file of secrets has put into it, for another process.

    One of ours reads the file itself.
    """
    left_out = {FROM_SECRETS, *environment.get(FROM_SECRETS, "").split()}
    return {name: text for name, text in environment.items() if name not in left_out}


def _python(base: Mapping[str, str]) -> dict[str, str]:
    """Return Python's variables as the user had set them, where the program has changed them.

    A checkout comes last on the path of modules, so that the script finds `search.script`; an
    installed package is there anyway, or belongs to another Python.
    """
    prefix = BEFORE if SETTLED in base else ""
    theirs = {
        name.removeprefix(prefix): text
        for name, text in base.items()
        if name.startswith(f"{prefix}PYTHON")
    }
    path = [each for each in theirs.get("PYTHONPATH", "").split(os.pathsep) if each]
    if ROOT.name not in ("site-packages", "dist-packages") and str(ROOT) not in path:
        path.append(str(ROOT))
    return {**theirs, "PYTHONPATH": os.pathsep.join(path)}


def _programs(variables: Mapping[str, str]) -> list[str]:
    """Return the folders of programs; without an active environment, this Python's come first.

    So `python` is the one that search is installed for, unless the user has chosen another.
    """
    path = variables.get("PATH", os.defpath).split(os.pathsep)
    if variables.get("VIRTUAL_ENV") or variables.get("CONDA_PREFIX"):
        return path
    return [str(Path(sys.executable).parent), *path]
