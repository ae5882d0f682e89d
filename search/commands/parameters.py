"""`search parameters`: every hyperparameter that a study may fix or search."""

import json
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from objectives import catalog
from objectives.contract import RecipeError
from search.settings import Settings
from search.terminal.console import page, print_table
from spaces.exits import DONE
from spaces.rules.conditions import condition_words


def parameters(arguments: Namespace, settings: Settings) -> int:
    """Print the values, the default and the meaning of each hyperparameter of an objective."""
    name = arguments.objective
    if ":" in name:
        code = {"kind": "generator", "reference": name}
        fields = catalog.describe(catalog.read_code(code, Path.cwd(), settings.cache)).fields
    else:
        fields = catalog.describe(name).fields
    if fields is None:
        raise RecipeError(
            f"{name} takes a mapping, so that any parameter may be given",
            "declare them in a dataclass, and take it as the first argument",
        )
    if arguments.json:
        print(json.dumps(fields, indent=2))
        return DONE
    table = Table("parameter", "values", "default", "meaning")
    for parameter, field in fields.items():
        table.add_row(parameter, _values(field), _default(field), Text(_meaning(field)))
    print_table(page(), table)
    return DONE


def _default(field: Mapping[str, Any]) -> str:
    return str(field["default"]).lower() if "default" in field else ""


def _values(field: Mapping[str, Any]) -> str:
    match field["type"]:
        case "bool":
            return "true, false"
        case "choice":
            return ", ".join(field["choices"])
        case "name":
            return ", ".join((*field["choices"], "..."))
        case "any":
            return "any"
    if field["low"] is None:
        return "a whole number" if field["type"] == "int" else "a number"
    return f"{field['low']:g} to {field['high']:g} {field['unit']}".rstrip()


def _meaning(field: Mapping[str, Any]) -> str:
    conditions = " or ".join(map(condition_words, field["acts_when"]))
    return f"{field['doc']} Acts when {conditions}." if conditions else str(field["doc"])
