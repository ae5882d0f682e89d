"""How a recipe declares its hyperparameters, and how a configuration is checked against them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from difflib import SequenceMatcher
from typing import Any, ClassVar, Self, TypedDict, Unpack

from objectives.contract import RecipeError

# Conditions that must hold together: name -> its possible values, or `at_least(n)`.
Condition = Mapping[str, Any]

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
        """Build the recipe of a plain mapping; keys left out take their defaults.

        Raises RecipeError for an unknown key, a wrong type, a value out of range or a combination
        that has no definition.
        """
        known = declared(cls)
        for name, value in config.items():
            if name not in known:
                raise RecipeError(
                    f"{cls.objective} has no parameter {name!r}",
                    fix=f"did you mean {nearest(name, known)!r}?",
                )
            check_value(f"{cls.objective}: {name}", value, known[name])
        return cls(**config)


@dataclass(frozen=True, kw_only=True)
class _Declaration:
    type: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] | None = None
    default: object
    unit: str = ""
    source: str = ""
    acts_when: tuple[Condition, ...] = ()
    doc: str

    def as_field(self) -> Any:
        return field(default=self.default, metadata=vars(self))


class Traits(TypedDict, total=False):
    """Further facts about a hyperparameter.

    unit: of its values.
    source: of the default or of the idea.
    acts_when: alternative conditions, of which one must hold for the value to be used at all;
        none means always.
    """

    unit: str
    source: str
    acts_when: tuple[Condition, ...]


def declared(recipe: type[Recipe]) -> dict[str, dict[str, Any]]:
    """Return every hyperparameter of a recipe as a plain mapping, in the order of declaration."""
    return {each.name: dict(each.metadata) for each in fields(recipe)}


def nearest(name: str, known: Iterable[str]) -> str:
    """Find the known name that was most likely meant, by its initials (`lr`) or its letters."""

    def likeness(candidate: str) -> float:
        initials = "".join(word[:1] for word in candidate.split("_"))
        return 1.0 if name == initials else SequenceMatcher(None, name, candidate).ratio()

    return max(known, key=likeness)


def number(default: float, low: float, high: float, doc: str, **more: Unpack[Traits]) -> Any:
    """Declare a real number in [low, high]."""
    return _Declaration(
        type="float", default=default, low=low, high=high, doc=doc, **more
    ).as_field()


def whole(default: int, low: int, high: int, doc: str, **more: Unpack[Traits]) -> Any:
    """Declare a whole number in [low, high]."""
    return _Declaration(type="int", default=default, low=low, high=high, doc=doc, **more).as_field()


def toggle(default: bool, doc: str, **more: Unpack[Traits]) -> Any:
    """Declare a switch."""
    return _Declaration(type="bool", default=default, doc=doc, **more).as_field()


def choice(default: str, choices: tuple[str, ...], doc: str, **more: Unpack[Traits]) -> Any:
    """Declare one name out of several."""
    return _Declaration(type="choice", default=default, choices=choices, doc=doc, **more).as_field()


def name(default: str, known: tuple[str, ...], doc: str, **more: Unpack[Traits]) -> Any:
    """Declare a name: a known one, or another that the recipe itself looks up."""
    return _Declaration(type="name", default=default, choices=known, doc=doc, **more).as_field()


def when(**needed: Any) -> tuple[Condition]:
    """Return the condition that these hyperparameters have these values, or one of a tuple.

    Alternatives are joined: `(*when(a=1), *when(b=2))`.
    """
    plain = (bool, int, float, str)
    return ({key: (each,) if isinstance(each, plain) else each for key, each in needed.items()},)


def at_least(low: float) -> Mapping[str, float]:
    """Return the condition on a number that it is `low` or more."""
    return {"at_least": low}


def check_value(name: str, value: object, declared: Mapping[str, Any]) -> None:
    """Raise RecipeError unless a hyperparameter may have a value.

    name: of the hyperparameter, in the words of the error.
    declared: its declaration as a plain mapping; any value is of the type "any".
    """
    kind, choices, low, high = (declared[key] for key in ("type", "choices", "low", "high"))
    if kind == "any":
        return
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "bool"):
        raise RecipeError(f"{name} is {value!r}", fix=f"give it {_WORDS[kind]}{_example(declared)}")
    if kind == "choice" and value not in choices:
        raise RecipeError(f"{name} is {value!r}", fix=f"choose one of {', '.join(choices)}")
    if low is not None and not low <= value <= high:
        raise RecipeError(f"{name} is {value!r}", fix=f"choose a value from {low} to {high}")


def _example(declared: Mapping[str, Any]) -> str:
    return f", like {declared['default']!r}" if "default" in declared else ""
