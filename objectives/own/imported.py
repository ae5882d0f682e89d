"""The files that a Python script imports from its own folder, found without running it."""

import ast
from collections.abc import Iterator
from pathlib import Path


def with_imports(script: Path) -> list[Path]:
    """Return a script and the files beside it that it imports, or one of them does.

    An import that is put together while the script runs is not found; a script in another language
    is returned alone.
    """
    found, open_files = dict.fromkeys([script]), [script]
    while open_files:
        for path in _imports(open_files.pop(), script.parent):
            if path not in found:
                found[path] = None
                open_files.append(path)
    return [*found]


def _imports(file: Path, folder: Path) -> Iterator[Path]:
    if file.suffix != ".py":
        return
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return  # Python says so, when the script runs
    for node in ast.walk(tree):
        for name in _names(node):
            yield from _files(folder, name.split("."))


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (each.name for each in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.module
        yield from (f"{node.module}.{each.name}" for each in node.names)


def _files(folder: Path, parts: list[str]) -> Iterator[Path]:
    """Yield the files of a module and of the packages that it lies in, those that are there."""
    for depth in range(1, len(parts) + 1):
        place = folder.joinpath(*parts[:depth])
        for path in (place.with_suffix(".py"), place / "__init__.py"):
            if path.is_file():
                yield path
