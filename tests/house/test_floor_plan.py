"""The house keeps its shape: who imports what, and what loads when."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from objectives import catalog
from storage.engine.results import CLOCK_ENDING

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "optuna", "sqlalchemy", "numpy", "pandas", "rich", "sklearn"}


def loaded_by(*words: str) -> set[str]:
    """The top-level modules that a command of the command line has loaded when it ends."""
    script = (
        "import sys, atexit\n"
        "atexit.register(lambda: print(*{name.split('.')[0] for name in sys.modules}))\n"
        "from search.cli import main\n"
        f"sys.exit(main({list(words)!r}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(done.stdout.splitlines()[-1].split())


def test_help_loads_nothing_heavy() -> None:
    assert loaded_by("--help") & HEAVY == set()


def test_checking_a_studys_rules_loads_no_torch_and_no_database() -> None:
    loaded = loaded_by("check", "--study", "gleason", "--rules-only", "--json")

    assert loaded & {"torch", "optuna", "sqlalchemy", "numpy"} == set()


@pytest.mark.parametrize(
    "path", sorted((ROOT / "spaces").rglob("*.py")), ids=lambda path: path.stem
)
def test_spaces_stands_on_the_standard_library_alone(path: Path) -> None:
    allowed = sys.stdlib_module_names | {"spaces"}

    imported = {name.split(".")[0] for name in _imports(path)}

    assert imported <= allowed


@pytest.mark.parametrize("objective", ["image_classifier", "toy_curve"])
def test_what_storage_takes_for_a_time_is_what_the_objective_calls_inexact(objective: str) -> None:
    metrics = catalog.describe(objective).metrics

    by_name = {name for name in metrics if name.endswith(CLOCK_ENDING)}

    assert by_name == {name for name, metric in metrics.items() if not metric["exact"]}


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found
