"""The hyperparameters of a function of the author's, read from the dataclass that it takes."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from objectives.contract import RecipeError

_TYPES = {float: "float", int: "int", bool: "bool", str: "name"}
_NOTHING = {"low": None, "high": None, "choices": None, "unit": "", "source": "", "acts_when": ()}


def recipe_of(function: Callable[..., Any]) -> type | None:
    """Return the dataclass that a function takes first; None where it takes a mapping.

    Raises RecipeError for a function that cannot be called with a recipe and an attempt.
    """
    name = function.__name__
    try:
        inspect.signature(function).bind(None, None)
    except TypeError as error:
        raise RecipeError(
            f"{name} cannot be called with a recipe and an attempt ({error})",
            f"write it as {name}(recipe, attempt)",
        ) from error
    first = next(iter(inspect.signature(function).parameters.values()))
    try:
        wanted = get_type_hints(function).get(first.name)
    except NameError as error:
        raise RecipeError(
            f"the types of {name} cannot be read ({error})", "import the name, or correct it"
        ) from error
    return wanted if isinstance(wanted, type) and is_dataclass(wanted) else None


def declared(recipe: type) -> dict[str, dict[str, Any]]:
    """Return each hyperparameter of a dataclass as a plain mapping, in the order of declaration.

    A field that `objectives.recipe.fields` made says everything itself; of another one the type
    and the default are known. A field without a default is `required`; one with a default that is
    no number, text, bool or None has no `default` here either, and keeps its own.
    """
    hints = get_type_hints(recipe)
    return {
        each.name: dict(each.metadata) if "type" in each.metadata else _plain(each, hints)
        for each in fields(recipe)
        if each.init
    }


def _plain(field: Field[Any], hints: Mapping[str, Any]) -> dict[str, Any]:
    hint = hints[field.name]
    default = _default(field)
    known = {**_NOTHING, "type": _TYPES.get(hint, "any"), "doc": "", **default}
    if get_origin(hint) is Literal and all(isinstance(each, str) for each in get_args(hint)):
        known |= {"type": "choice", "choices": get_args(hint)}
    elif hint is str:
        known["choices"] = (default["default"],) if "default" in default else ()
    return known


def _default(field: Field[Any]) -> dict[str, Any]:
    """Return the default of a field as `{"default": value}`; {} for one that JSON cannot hold."""
    factory = field.default_factory
    value = field.default if factory is MISSING else factory()
    if value is MISSING:
        return {"required": True}
    is_value = isinstance(value, bool | int | float | str | NoneType)
    return {"default": value} if is_value else {}
