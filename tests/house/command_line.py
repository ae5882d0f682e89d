"""The accepted command lines, for tests of the text that names commands."""

import argparse
import shlex
from collections.abc import Iterator

from search.errors import UsageError
from search.parser import build_parser

# The one rule for running text: a command there may leave out arguments that it needs, and these
# words stand for numbers. Listings can be typed as they are.
NUMBERS = {"N": "3", "H": "3", "P": "8080", "K": "0"}


def parsers(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """The command line's parsers by what is typed to reach them, `data make` and so on."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from ((f"{name} {more}".strip(), each) for more, each in parsers(inner))
            return
    yield "", parser


COMMANDS = dict(parsers(build_parser()))


def understood(line: str, *, whole: bool) -> bool:
    """Whether the command line takes a line; if it is not `whole`, without what else it needs."""
    parser = build_parser()
    for _, command in parsers(parser):
        command.allow_abbrev = False
        for action in command._actions if not whole else ():
            action.required = False
            if not action.option_strings:
                action.nargs = "?"
    words = shlex.split(line)[1:]
    try:
        parser.parse_args(words if whole else [NUMBERS.get(word, word) for word in words])
    except UsageError:
        return False
    except SystemExit:  # `--help` and `--version`
        return True
    return True
