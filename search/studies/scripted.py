"""The words of a study around an existing script, as far as the script itself tells them."""

import ast
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from search.errors import UsageError

PROGRAMS = {".py": "python", ".sh": "bash", ".R": "Rscript", ".r": "Rscript", ".jl": "julia"}
LEARNING_RATES = ("learning_rate", "lr")
EPOCHS = ("epochs", "n_epochs", "num_epochs", "max_epochs", "num_train_epochs")
_LINES = r'Lines(r"epoch (\d+).*val_loss ([\d.]+)")'


@dataclass(frozen=True)
class Option:
    """An option of a script's command line, as `argparse` declares it, and its default."""

    name: str
    flag: str
    default: Any


def script_words(script: Path, folder: Path) -> dict[str, str]:
    """Return the words of the template of a study around a script.

    A Python script's options of `argparse` become hyperparameters with their defaults.

    folder: of the study file, from which the script is named.
    Raises UsageError for a script that is not there.
    """
    if not script.is_file():
        raise UsageError(f"{script} is not there", "name the script that trains")
    text = script.read_text(encoding="utf-8", errors="replace")
    options = [*_options(text)] if script.suffix == ".py" else []
    reports = "search.script" in text or "SEARCH_REPORT" in text or script.suffix != ".py"
    return {
        "MY_COMMAND": json.dumps(_command(script, folder, options)),
        "MY_RESULTS": "Reports()" if reports else _LINES,
        "MY_FIXED": ", ".join(_fixed(options)),
        "MY_SPACE": _space(options),
    }


def _command(script: Path, folder: Path, options: list[Option]) -> str:
    path = os.path.relpath(script, folder)
    program = PROGRAMS.get(script.suffix, "")
    name = quote(path if program or "/" in path else f"./{path}")
    words = [*filter(None, [program]), name.replace("{", "{{").replace("}", "}}")]
    words += [f"{option.flag} {{{option.name}}}" for option in options]
    return " ".join(words if options else [*words, "{config}"])


def _fixed(options: list[Option]) -> Iterator[str]:
    if not any(option.name == "epochs" for option in options):
        yield '"epochs": 10'
    for option in options:
        if option.name not in LEARNING_RATES:
            default = option.default
            text = json.dumps(default) if isinstance(default, str) else repr(default)
            yield f'"{option.name}": {text}'


def _space(options: list[Option]) -> str:
    """Return the searched learning rate: a factor of ten around its default."""
    found = next((option for option in options if option.name in LEARNING_RATES), None)
    name, default = "learning_rate", 1e-3
    if found:
        name = found.name
        default = found.default if isinstance(found.default, float) else default
    return f'        Float("{name}", {default / 10:g}, {default * 10:g}, log=True),'


def _options(text: str) -> Iterator[Option]:
    """Find the options that a script declares with `add_argument` and a default of its own."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
            given = {each.arg: each.value for each in node.keywords}
            flags = [each.value for each in node.args if isinstance(each, ast.Constant)]
            flag = next((f for f in flags if isinstance(f, str) and f.startswith("--")), "")
            if flag and "action" not in given and "nargs" not in given:
                name, default = flag[2:].replace("-", "_"), _literal(given.get("default"))
                if default is not None:
                    yield Option("epochs" if name in EPOCHS else name, flag, default)


def _literal(node: ast.expr | None) -> Any:
    try:
        return None if node is None else ast.literal_eval(node)
    except ValueError:
        return None
