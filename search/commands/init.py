"""`search init`: a study file to start from."""

import re
from argparse import Namespace
from importlib import resources
from pathlib import Path
from shlex import quote

from search.errors import UsageError
from search.settings import Settings
from search.studies.scripted import script_words


def init(arguments: Namespace, settings: Settings) -> int:
    """Write a commented study file, and training code beside it where it is asked for.

    Files that are there are left as they are.
    """
    path: Path = arguments.path
    if path.name in ("", ".."):
        raise UsageError(f"{path} is a folder", f"name a file in it, such as {path / 'study.py'}")
    if path.suffix != ".py":
        path = path.with_name(f"{path.name}.py")
    # The pattern of a study's name is spaces.study.STUDY_NAME.
    name = re.sub(r"[^a-z0-9_-]+", "-", path.stem.lower()).strip("-_")[:63] or "my-study"
    if arguments.script:
        words = script_words(arguments.script, path.parent)
        texts = {path: _filled("script_study", {**words, "MY_STUDY": name})}
    elif arguments.own:
        train = path.with_name(f"{path.stem}_train.py")
        study = _filled("own_study", {"MY_STUDY": name, "MY_TRAIN": train.stem})
        texts = {path: study, train: _filled("own_train", {})}
    else:
        texts = {path: _filled("study", {"MY_STUDY": name})}
    _write(texts)
    data = "" if arguments.script or arguments.own else " --data DIR"
    written = " and ".join(map(str, texts))
    print(f"{written} written. Next: search check --study {quote(str(path))}{data}")
    return 0


def _filled(template: str, words: dict[str, str]) -> str:
    text = resources.files("search").joinpath(f"templates/{template}.py.txt").read_text("utf-8")
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    return text


def _write(texts: dict[Path, str]) -> None:
    """Write new files; none of them where one is there already."""
    for path in texts:
        if path.exists():
            raise UsageError(f"{path} exists already", "choose another name")
        if not path.parent.is_dir():
            raise UsageError(f"the folder {path.parent} does not exist", "make it first")
    for path, text in texts.items():
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
