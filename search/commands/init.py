"""`search init`: a study file to start from."""

import re
from argparse import Namespace
from importlib import resources
from shlex import quote

from search.errors import UsageError
from search.settings import Settings


def init(arguments: Namespace, settings: Settings) -> int:
    """Write a commented study file; an existing file is left as it is."""
    path = arguments.path
    if path.name in ("", ".."):
        raise UsageError(f"{path} is a folder", f"name a file in it, such as {path / 'study.py'}")
    if path.suffix != ".py":
        path = path.with_name(f"{path.name}.py")
    template = resources.files("search").joinpath("my_study.py.txt").read_text("utf-8")
    # The pattern of a study's name is spaces.study.STUDY_NAME.
    name = re.sub(r"[^a-z0-9_-]+", "-", path.stem.lower()).strip("-_")[:63] or "my-study"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template.replace("MY_STUDY", name))
    except FileExistsError:
        raise UsageError(f"{path} exists already", "choose another name") from None
    except FileNotFoundError:
        raise UsageError(f"the folder {path.parent} does not exist", "make it first") from None
    print(f"{path} written. Next: search check --study {quote(str(path))} --data DIR")
    return 0
