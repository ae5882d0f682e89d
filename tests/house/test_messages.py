"""A command that a message, a docstring or a comment's string names can be typed."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.command_line import understood
from tests.house.rules import ROOT, product_files

FILLED_IN = "3"  # a value of an f-string: it serves as a name and as a number


def named_commands() -> Iterator[str]:
    """Yield each back-quoted command in a string of the product, with its file."""
    for path in product_files():
        for text in texts(ast.parse(path.read_text())):
            for command in re.findall(r"`(search [a-z][^`]*)`", text):
                yield f"{path.relative_to(ROOT)}: {' '.join(command.split())}"


def texts(node: ast.AST) -> Iterator[str]:
    """Yield each string below a node, an f-string as one with its values filled in."""
    match node:
        case ast.JoinedStr(values=parts):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else FILLED_IN for part in parts
            )
        case ast.Constant(value=str(text)):
            yield text
        case _:
            for child in ast.iter_child_nodes(node):
                yield from texts(child)


NAMED = sorted(set(named_commands()))


def test_messages_name_commands() -> None:
    assert len(NAMED) > 30


@pytest.mark.parametrize("named", NAMED)
def test_a_command_that_a_message_names_can_be_typed(named: str) -> None:
    command = named.partition(": ")[2]

    assert understood(command, whole=False)
