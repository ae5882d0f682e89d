"""The files that a Python script imports from its own folder, found without running it."""

import ast
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]  # of these packages
OURS = ("search", "objectives", "spaces", "storage", "dashboards")


def is_ours(file: Path) -> bool:
    """Say whether a file belongs to these packages; a study may lie in a checkout of them."""
    return _ROOT in file.parents and file.relative_to(_ROOT).parts[0] in OURS


def with_imports(script: Path, folder: Path | None = None) -> list[Path]:
    """Return a script and the files in a folder that it imports, or one of them does.

    An import that is put together while the script runs is not found; a script in another language
    is returned alone.

    folder: None for the script's own.
    """
    found, open_files = dict.fromkeys([script]), [script]
    while open_files:
        for path in _imports(open_files.pop(), folder or script.parent):
            if path not in found and not is_ours(path):
                found[path] = None
                open_files.append(path)
    return [*found]


def of_module(name: str, folder: Path) -> list[Path]:
    """Return the files in a folder that `python -m NAME` runs there, with what they import."""
    files = _files(folder, [*name.split("."), "__main__"])
    return [each for file in files for each in with_imports(file, folder)]


def _imports(file: Path, folder: Path) -> Iterator[Path]:
    if file.suffix != ".py":
        return
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return  # Python says so, when the script runs
    for node in ast.walk(tree):
        level = getattr(node, "level", 0)  # the dots of `from ..models import unet`
        start = file.parents[min(level, len(file.parents)) - 1] if level else folder
        for name in _names(node):
            yield from _files(start, name.split("."))


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (each.name for each in node.names)
    elif isinstance(node, ast.ImportFrom):
        before = f"{node.module}." if node.module else ""
        yield from (f"{before}{each.name}" for each in node.names)


def _files(folder: Path, parts: list[str]) -> Iterator[Path]:
    """Yield the files of a module and of the packages that it lies in, those that are there."""
    for depth in range(1, len(parts) + 1):
        place = folder.joinpath(*parts[:depth])
        for path in (place.with_suffix(".py"), place / "__init__.py"):
            if path.is_file():
                yield path
