"""The rules of the house's shape, each as a generator of the places that break it."""

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).parents[2]
PACKAGES = ("search", "objectives", "spaces", "storage", "dashboards")
MOST_MODULES, MOST_LINES, MOST_PARAMETERS, MOST_POSITIONAL, MOST_FIELDS = 25, 300, 6, 4, 3
OPENERS = ("Give", "Gives", "What")
# These take any number of things of one kind, which have no names to give.
VARIADIC = {"print", "max", "min", "add_row", "Table", "set", "zip", "chain", "add_argument"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def product_files() -> list[Path]:
    """Every module of the product."""
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def crowded_folders(files: Iterable[Path]) -> Iterator[str]:
    """Yield each folder that holds more modules than a reader can keep in mind."""
    counts = Counter(path.parent for path in files if path.name != "__init__.py")
    for folder, count in counts.items():
        if count > MOST_MODULES:
            yield f"{_where(folder)}: {count} modules"


def long_modules(files: Iterable[Path]) -> Iterator[str]:
    """Yield each module that is too long to be read in one go."""
    for path in files:
        if (lines := len(path.read_text().splitlines())) > MOST_LINES:
            yield f"{_where(path)}: {lines} lines"


def wide_functions(files: Iterable[Path]) -> Iterator[str]:
    """Yield each function with more than six parameters, `self` and `cls` not counted."""
    for path, node in _nodes(files):
        if isinstance(node, Function):
            names = [each.arg for each in _parameters(node) if each.arg not in ("self", "cls")]
            if len(names) > MOST_PARAMETERS:
                yield f"{_where(path, node)} {node.name}: {len(names)} parameters"


def positional_dataclasses(files: Iterable[Path]) -> Iterator[str]:
    """Yield each dataclass with more than three fields that may be filled by position."""
    for path, node in _nodes(files):
        if isinstance(node, ast.ClassDef) and (decorator := _dataclass(node)) is not None:
            fields = [each for each in node.body if _is_field(each)]
            if len(fields) > MOST_FIELDS and "kw_only=True" not in decorator:
                yield f"{_where(path, node)} {node.name}: {len(fields)} fields"


def packed_calls(files: Iterable[Path]) -> Iterator[str]:
    """Yield each call with more than four arguments by position, or with a starred literal."""
    for path, node in _nodes(files):
        if not isinstance(node, ast.Call) or _called(node) in VARIADIC:
            continue
        if any(isinstance(each, ast.Starred) and _is_literal(each.value) for each in node.args):
            yield f"{_where(path, node)} {_called(node)}: a starred literal"
        elif len(node.args) > MOST_POSITIONAL:
            yield f"{_where(path, node)} {_called(node)}: {len(node.args)} arguments by position"


def private_imports(files: Iterable[Path]) -> Iterator[str]:
    """Yield each private name that a module takes from another of the house."""
    for path in files:
        tree = _tree(path)
        modules: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and _is_ours(node.module):
                modules |= {alias.asname or alias.name for alias in node.names}
                for alias in node.names:
                    if _is_private(alias.name):
                        yield f"{_where(path, node)} {node.module}.{alias.name}"
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(value=ast.Name(id=name), attr=attr):
                    if name in modules and _is_private(attr):
                        yield f"{_where(path, node)} {name}.{attr}"


def empty_openers(files: Iterable[Path]) -> Iterator[str]:
    """Yield each docstring that opens with a word that says nothing."""
    for path, node in _nodes(files):
        if isinstance(node, Function | ast.ClassDef | ast.Module):
            docstring = ast.get_docstring(node) or ""
            if docstring.split(maxsplit=1)[:1] and docstring.split()[0] in OPENERS:
                yield f"{_where(path, node)} {docstring.splitlines()[0]}"


def function_lengths(files: Iterable[Path]) -> tuple[float, float]:
    """Return the median and the 90th percentile of the lines of a function."""
    lengths = [
        (node.end_lineno or node.lineno) - node.lineno + 1
        for _, node in _nodes(files)
        if isinstance(node, Function)
    ]
    return median(lengths), quantiles(lengths, n=10)[8]


def _nodes(files: Iterable[Path]) -> Iterator[tuple[Path, ast.AST]]:
    for path in files:
        for node in ast.walk(_tree(path)):
            yield path, node


@lru_cache(maxsize=1)  # every rule is put to a file before the next one is read
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _where(path: Path, node: ast.AST | None = None) -> str:
    line = getattr(node, "lineno", None)
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    return f"{shown}:{line}" if line else f"{shown}"


def _parameters(node: Function) -> list[ast.arg]:
    arguments = node.args
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]


def _dataclass(node: ast.ClassDef) -> str | None:
    """Return the decorator that makes a class a dataclass, as source text."""
    texts = map(ast.unparse, node.decorator_list)
    return next((text for text in texts if text.split("(")[0].endswith("dataclass")), None)


def _is_field(node: ast.stmt) -> bool:
    return isinstance(node, ast.AnnAssign) and "ClassVar" not in ast.unparse(node.annotation)


def _called(node: ast.Call) -> str:
    return ast.unparse(node.func).rpartition(".")[2]


def _is_literal(node: ast.expr) -> bool:
    return isinstance(node, ast.Tuple | ast.List | ast.Set)


def _is_ours(module: str | None) -> bool:
    return bool(module) and str(module).split(".")[0] in PACKAGES


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")
