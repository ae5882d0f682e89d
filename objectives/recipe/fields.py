"""How a recipe declares its hyperparameters, and how a configuration is checked against them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from difflib import SequenceMatcher
from typing import Any, ClassVar, Self

from objectives.contract import RecipeError

Condition = Mapping[str, Any]  # what must hold together: name -> its values, or `at_least(n)`

_TYPES = {
    "float": (float, int),
    "int": (int,),
    "bool": (bool,),
    "choice": (str,),
    "name": (str,),
}
_WORDS = {
    "float": "a number",
    "int": "a whole number",
    "bool": "true or false",
    "choice": "a name",
    "name": "a name",
}


@dataclass(frozen=True)
class Recipe:
    """A configuration, typed and checked; a subclass declares one field per hyperparameter."""

    objective: ClassVar[str]

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Give the recipe of a plain mapping; keys left out take their defaults.

        Raises RecipeError for an unknown key, a wrong type, a value out of range or a combination
        that has no definition.
        """
        known = declared(cls)
        for name, value in config.items():
            if name not in known:
                meant = nearest(name, known)
                raise RecipeError(
                    f"{cls.objective} has no parameter {name!r}; did you mean {meant!r}?"
                )
            _check(f"{cls.objective}: {name}", value, known[name])
        return cls(**config)


def declared(recipe: type[Recipe]) -> dict[str, dict[str, Any]]:
    """Give every hyperparameter of a recipe as a plain mapping, in the order it was declared."""
    return {each.name: dict(each.metadata) for each in fields(recipe)}


def nearest(name: str, known: Iterable[str]) -> str:
    """Give the known name that was most likely meant, by its initials (`lr`) or its letters."""

    def likeness(candidate: str) -> float:
        initials = "".join(word[:1] for word in candidate.split("_"))
        return 1.0 if name == initials else SequenceMatcher(None, name, candidate).ratio()

    return max(known, key=likeness)


def number(default: float, low: float, high: float, doc: str, **more: Any) -> Any:
    """Declare a real number in [low, high]."""
    return _declare("float", default, doc, low=low, high=high, **more)


def whole(default: int, low: int, high: int, doc: str, **more: Any) -> Any:
    """Declare a whole number in [low, high]."""
    return _declare("int", default, doc, low=low, high=high, **more)


def toggle(default: bool, doc: str, **more: Any) -> Any:
    """Declare something that is on or off."""
    return _declare("bool", default, doc, **more)


def choice(default: str, choices: tuple[str, ...], doc: str, **more: Any) -> Any:
    """Declare one name out of several."""
    return _declare("choice", default, doc, choices=choices, **more)


def name(default: str, known: tuple[str, ...], doc: str, **more: Any) -> Any:
    """Declare a name: one of the known ones, or another that the recipe itself looks up."""
    return _declare("name", default, doc, choices=known, **more)


def when(**needed: Any) -> tuple[Condition]:
    """Give the condition that these hyperparameters have these values, one or one of a tuple.

    Conditions that are alternatives are added up: `(*when(a=1), *when(b=2))`.
    """
    plain = (bool, int, float, str)
    return ({key: (each,) if isinstance(each, plain) else each for key, each in needed.items()},)


def at_least(low: float) -> Mapping[str, float]:
    """Give the condition on a number that it is `low` or more."""
    return {"at_least": low}


def _declare(
    kind: str,
    default: object,
    doc: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
    unit: str = "",
    source: str = "",
    acts_when: tuple[Condition, ...] = (),
) -> Any:
    """source: where the default or the idea comes from; acts_when: the alternatives, of which one
    must hold for this one to be read at all; none is always."""
    return field(
        default=default,
        metadata={
            "type": kind,
            "low": low,
            "high": high,
            "choices": choices,
            "default": default,
            "unit": unit,
            "source": source,
            "acts_when": acts_when,
            "doc": doc,
        },
    )


def _check(name: str, value: object, declared: Mapping[str, Any]) -> None:
    kind, choices, low, high = (declared[key] for key in ("type", "choices", "low", "high"))
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "bool"):
        raise RecipeError(
            f"{name} is {value!r}; give it {_WORDS[kind]}, like {declared['default']!r}"
        )
    if kind == "choice" and value not in choices:
        raise RecipeError(f"{name} is {value!r}; choose one of {', '.join(choices)}")
    if low is not None and not low <= value <= high:
        raise RecipeError(f"{name} is {value!r}; choose a value from {low} to {high}")
