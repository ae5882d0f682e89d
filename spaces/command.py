"""The words of a command that no shell reads, and the placeholders in them."""

import re
import shlex
from collections.abc import Iterable
from string import Formatter

from spaces.errors import StudyError

# What a shell would act on and a program would get as a word.
_OF_A_SHELL = re.compile(r"\d?[|&;<>]+\S*|.*;|~/.*|[^{]*\$[A-Za-z_].*")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)


def words_of(command: str | Iterable[str]) -> tuple[str, ...]:
    """Return the words of a command, a text's as a shell would part them.

    Raises StudyError for a command that only a shell could run.
    """
    if not isinstance(command, str):
        return tuple(command)
    try:
        words = tuple(shlex.split(command.replace("\\\n", " ")))
    except ValueError as error:
        raise StudyError(f"command {command!r} cannot be read ({error})", "close it") from error
    if words and _ASSIGNMENT.fullmatch(words[0]):
        raise StudyError(
            f"command {command!r} begins with a variable, and no shell reads it",
            f"write 'env {words[0]} ...'",
        )
    for word in words:
        if _OF_A_SHELL.fullmatch(word):
            raise StudyError(
                f"command {command!r} has {word!r}, which only a shell understands",
                "put the line into a file and write 'bash FILE', or give a list of words",
            )
    return words


def placeholders(words: Iterable[str]) -> tuple[str, ...]:
    """Return the names in braces, each once; StudyError for a brace that encloses no name."""
    found: dict[str, None] = {}
    for word in words:
        found |= dict.fromkeys(_names(word))
    return tuple(found)


def _names(word: str) -> list[str]:
    try:
        parts = list(Formatter().parse(word))
    except ValueError:
        parts = [("", "", "", None)]
    names = [(name, spec, conversion) for _, name, spec, conversion in parts if name is not None]
    for name, spec, conversion in names:
        if not name.isidentifier() or spec or conversion:
            fix = f"write {{{name}}}" if name.isidentifier() else "write {{ or }} for a brace"
            raise StudyError(f"the word {word!r} has a brace that encloses no name", fix)
    return [name for name, _, _ in names]
