"""The words of a script's command: its name, its program, and the values of one trial in them."""

import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Formatter
from typing import Any

from objectives.contract import RecipeError

_OPTION = re.compile(r"--?[A-Za-z][\w.-]*")
_STARTS_MODULES = re.compile(r"python|torchrun|accelerate")
_SOURCE = re.compile(r"[^{}\s]*\.(py|sh|bash|zsh|R|r|jl|pl|rb|js)")


def script_name(words: Sequence[str]) -> str:
    """Return how messages call a script: its source file, its module, or its program."""
    if source := _source(words):
        return Path(source).name
    if "-m" in words[1:-1] and _STARTS_MODULES.match(Path(words[0]).name):
        return words[words.index("-m") + 1]
    return Path(words[0]).name


def fill(words: Sequence[str], config: Mapping[str, Any], facts: Mapping[str, Any]) -> list[str]:
    """Return the words with a trial's values in the place of the names in braces.

    A word with a name that has no value is left out: `{resume_from}` where there is nothing to
    resume from, a hyperparameter whose condition does not hold. If the word begins with the name,
    the option before it goes as well, such as `--resume`.

    config: the hyperparameters; one of the same name as a fact comes first.
    facts: config, folder, resume_from, seed and device.
    """
    given = {**facts, **config}
    values = {name: _as_text(value) for name, value in given.items() if value is not None}
    kept: list[str] = []
    for word in words:
        missing = [name for _, name, _, _ in Formatter().parse(word) if name and name not in values]
        if not missing:
            kept.append(word.format_map(values))
        elif word.startswith(f"{{{missing[0]}}}") and kept and _OPTION.fullmatch(kept[-1]):
            kept.pop()
    return kept


def beside_the_study(words: Sequence[str], folder: Path) -> list[str]:
    """Return the words with the files beside the study file in full, for another working folder."""
    place = str(folder).replace("{", "{{").replace("}", "}}")  # names in braces are filled in
    return [f"{place}/{word}" if _is_file(folder, word) else word for word in words]


def check_program(words: Sequence[str], folder: Path, path: str | None = None) -> None:
    """Raise RecipeError, with the fix, for a program or a source file that is not on this machine.

    folder: of the study file.
    path: the folders of programs; None for those of this process.
    """
    program, source = words[0], _source(words[1:])
    if "{" not in program:
        _check_found(program, folder, path)
    if source and not (folder / source).is_file():
        raise RecipeError(
            f"there is no {source} in {folder}", "write it, or correct the path from the study file"
        )


def _check_found(program: str, folder: Path, path: str | None) -> None:
    file = folder / program
    if "/" not in program:
        if shutil.which(program, path=path) is None:
            fix = f"write ./{program}" if file.is_file() else "install it, or write its whole path"
            raise RecipeError(f"there is no program {program!r} on this machine's PATH", fix)
    elif not file.is_file():
        raise RecipeError(f"there is no {program} in {folder}", "write it, or correct its path")
    elif not os.access(file, os.X_OK):
        raise RecipeError(
            f"{file} is not executable", f"`chmod +x {file}`, or name the program that runs it"
        )
    elif (interpreter := _interpreter(file)) and not Path(interpreter).is_file():
        found = f"{file} begins with #!{interpreter!r}, and there is no such program"
        fix = "let each line end by a newline alone" if "\r" in interpreter else "correct the line"
        raise RecipeError(found, fix)


def _interpreter(file: Path) -> str:
    """Return the whole path after `#!` at the beginning of a file; "" where it has none."""
    with file.open("rb") as opened:
        first = opened.readline(1000).removesuffix(b"\n")
    words = os.fsdecode(first).removeprefix("#!").strip(" \t").split(" ")
    return words[0] if first.startswith(b"#!") and words[0].startswith("/") else ""


def _source(words: Sequence[str]) -> str:
    """Return the first word that names a source file; "" where none does."""
    return next((word for word in words if _SOURCE.fullmatch(word) and word[0] != "-"), "")


def _is_file(folder: Path, word: str) -> bool:
    return "{" not in word and not word.startswith(("-", "/")) and (folder / word).is_file()


def _as_text(value: Any) -> str:
    """Return a value as a word: text as it is, the rest as JSON writes it."""
    return value if isinstance(value, str) else json.dumps(value)
