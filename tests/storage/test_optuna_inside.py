"""The names that storage uses in Optuna without a promise are there, and named in one file."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from storage import optuna_inside

INSIDE = Path(optuna_inside.__file__)
OTHERS = [path for path in INSIDE.parent.rglob("*.py") if path != INSIDE]


def private_names(path: Path) -> Iterator[str]:
    """Yield each name, with its module, that a file imports from inside Optuna."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("optuna."):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name for name in names if "._" in name)


@pytest.mark.parametrize("name", [*private_names(INSIDE)])
def test_optuna_has_the_name(name: str) -> None:
    module, _, attribute = name.rpartition(".")
    assert hasattr(import_module(module), attribute), f"{name} is gone: read {INSIDE.name} again"


def test_optunas_names_are_used_in_one_file_only() -> None:
    assert [name for path in OTHERS for name in private_names(path)] == []
