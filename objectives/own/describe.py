"""Describe an objective of the author's own, in a process of its own, and remember it.

`python -P -m objectives.own.describe` reads {reference, folder} as JSON, imports the code and
prints its description. Code that cannot be used is one line on stderr and exit code 2.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

from objectives.contract import RecipeError
from objectives.files.whole import write_text_whole
from objectives.own.code import Reference, digests, sources
from objectives.own.hyperparameters import declared, recipe_of
from objectives.own.imported import of_module, with_imports
from objectives.probes.ask import ask
from objectives.script.environment import without_secrets
from objectives.script.objective import check_script

Description = dict[str, Any]


def describe(own: Mapping[str, Any], folder: Path, cache: Path | None = None) -> Description:
    """Return the description of an objective of one's own, as a study stores it.

    Its keys are:
    kind, reference, deterministic: as declared; of a script the rest of it in `declared`.
    fields: the hyperparameters, see `objectives.contract.ObjectiveFields`.
    files: the SHA-256 of each file by its path.
    sources: the text of each, see `objectives.own.code.sources`.
    commit: of the git repository that has the files; "" without one.
    is_clean: whether the files are as in that commit.

    own: the declaration, `{"kind": "generator", "reference": "train.py:train"}`.
    folder: of the study file.
    cache: this machine's folder for descriptions that were made before.
    Raises RecipeError for code that cannot be used.
    """
    if own["kind"] == "script":
        return _describe_script(own, folder)
    known = _Known(own["reference"], folder, cache)
    found = known.read() or known.keep(_ask(own["reference"], folder))
    return {
        "kind": own["kind"],
        "reference": own["reference"],
        "deterministic": own.get("deterministic", False),
        "fields": found["fields"],
        **_contents({name: Path(found["root"]) / name for name in found["files"]}),
    }


def _describe_script(own: Mapping[str, Any], folder: Path) -> Description:
    """Describe a script; its files are those that its command names, and what they import."""
    check_script(own, folder)
    root = folder.resolve()
    paths = _named_files(own["command"], root)
    files = {path.relative_to(root).as_posix(): path for path in paths if root in path.parents}
    return {
        "kind": own["kind"],
        "reference": " ".join(own["command"]),
        "declared": {name: value for name, value in own.items() if name != "kind"},
        "deterministic": own["deterministic"],
        "fields": None,
        **_contents(files),
    }


def _named_files(words: Sequence[str], root: Path) -> Iterator[Path]:
    """Yield the files and the modules that a command names, with what they import."""
    for before, word in pairwise(["", *words]):
        path = (root / word.replace("{{", "{").replace("}}", "}")).resolve()
        if before == "-m":
            yield from of_module(word, root)
        elif word and path.is_file() and root in path.parents:
            yield from with_imports(path)


def _contents(files: Mapping[str, Path]) -> Description:
    return {"files": digests(files), "sources": sources(files), **_git(list(files.values()))}


def _ask(reference: str, folder: Path) -> Description:
    question = {"reference": reference, "folder": str(folder)}
    answer = "".join(ask("objectives.own.describe", question, purpose=f"importing {reference}"))
    if not answer:
        raise RecipeError(f"importing {reference} ends the program", "let the file go on")
    found: Description = json.loads(answer)
    return found


class _Known:
    """The description of one function, as an earlier process of this machine made it."""

    def __init__(self, reference: str, folder: Path, cache: Path | None) -> None:
        key = sha256(f"{sys.version} {folder.resolve()} {reference}".encode()).hexdigest()[:24]
        self._file = cache and cache / "own" / f"{key}.json"

    def read(self) -> Description | None:
        """Return the description; None without one, or where a file has changed since."""
        try:
            found: Description = json.loads(self._file.read_text()) if self._file else {}
            files = {name: Path(found["root"]) / name for name in found["files"]}
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return found if digests(files) == found["files"] else None

    def keep(self, found: Description) -> Description:
        """Keep a description for later commands, and return it."""
        if self._file:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_text_whole(self._file, json.dumps(found))
        return found


def _git(files: list[Path]) -> Description:
    """Return the commit of the repository that has the files, and whether they are as in it."""
    nothing = {"commit": "", "is_clean": False}
    if not files:
        return nothing
    git = partial(subprocess.run, capture_output=True, text=True, env=without_secrets(os.environ))
    place = ["git", "-C", str(files[0].parent)]
    try:
        head = git([*place, "rev-parse", "HEAD"])
        changed = git([*place, "status", "--porcelain", "--", *map(str, files)])
    except OSError:  # no git on this machine
        return nothing
    if head.returncode or changed.returncode:
        return nothing
    return {"commit": head.stdout.strip(), "is_clean": not changed.stdout.strip()}


def main(question: Mapping[str, str]) -> int:
    """Print the description of one function; return 2, with the error on stderr, where it fails."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # the code that is imported may print
    reference = Reference(question["reference"], Path(question["folder"]))
    try:
        fields = _fields(reference)
    except RecipeError as error:
        print(error, file=sys.stderr)
        return 2
    files = reference.files()
    told = {"fields": fields, "root": str(reference.root), "files": digests(files)}
    print(json.dumps(told), file=answer, flush=True)
    return 0


def _fields(reference: Reference) -> dict[str, dict[str, Any]] | None:
    """Return the hyperparameters of a function; None where it takes a mapping."""
    try:
        recipe = recipe_of(reference.load())
        return None if recipe is None else declared(recipe)
    except RecipeError:
        raise
    except Exception as error:  # a type hint or a default that cannot be worked out
        said = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise RecipeError(f"{reference.text} cannot be described ({said})", "correct it") from error


if __name__ == "__main__":
    # As the module that everybody imports: the code's own imports may need it.
    from objectives.own.describe import main as describe_it

    sys.exit(describe_it(json.load(sys.stdin)))
