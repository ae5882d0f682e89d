"""D01: an unknown key, or a value that the objective does not take."""

from collections.abc import Iterator, Mapping
from typing import Any

from spaces.errors import closest, nearest
from spaces.params import Value
from spaces.rules.fields import Fields
from spaces.rules.finding import Finding
from spaces.study import Study


def unknown_keys(study: Study, fields: Fields) -> Iterator[Finding]:
    """Find the names that the objective does not have among its hyperparameters."""
    for name in (*study.fixed, *study.space.names):
        if name not in fields:
            message = f"{study.objective} has no parameter {name!r}; {nearest(name, fields)}"
            yield Finding("D01", "error", message)


def values_out_of_range(study: Study, fields: Fields) -> Iterator[Finding]:
    """Find fixed and drawable values that the objective does not accept."""
    for name, value in study.fixed.items():
        if name in fields and not _takes(fields[name], value):
            wrong = f"{name}={value!r} is not {_wanted(fields[name])}"
            yield Finding("D01", "error", f"{wrong}; {_fix(name, fields[name], value)}")
    for param in study.space:
        for value in param.corners() if param.name in fields else ():
            if not _takes(fields[param.name], value):
                wanted = _wanted(fields[param.name])
                wrong = f"the space draws {param.name}={value!r}, which is not {wanted}"
                fix = _fix(param.name, fields[param.name], value)
                yield Finding("D01", "error", f"{wrong}; {fix}")


def _takes(field: Mapping[str, Any], value: Value) -> bool:
    kind = field["type"]
    if kind == "any":
        return True
    if kind == "bool":
        return isinstance(value, bool)
    if kind == "choice":
        return value in field["choices"]
    if kind == "name":  # the objective itself refuses an unknown one
        return isinstance(value, str)
    number = isinstance(value, int) if kind == "int" else isinstance(value, int | float)
    return number and not isinstance(value, bool) and _in_range(field, value)


def _fix(name: str, field: Mapping[str, Any], value: Value) -> str:
    """Return the end of the message about a value that the objective does not take."""
    words = str(value).strip()
    if field["type"] == "bool":
        return f"write True or False without quotes, or search Toggle({name!r})"
    if field["type"] in ("choice", "name"):
        near = closest(words, map(str, field["choices"]))
        return f"did you mean {near!r}?" if near else "use one of these"
    if isinstance(value, str) and words.replace(".", "", 1).isdigit():
        return f"write {words} without quotes"
    return "change the value"


def _in_range(field: Mapping[str, Any], value: Any) -> bool:
    low, high = field.get("low"), field.get("high")
    return (low is None or value >= low) and (high is None or value <= high)


def _wanted(field: Mapping[str, Any]) -> str:
    if field["type"] == "bool":
        return "true or false"
    if field["type"] in ("choice", "name"):
        return f"one of {', '.join(map(str, field['choices']))}"
    low, high = field.get("low"), field.get("high")
    kind = "a whole number" if field["type"] == "int" else "a number"
    return (
        kind
        + (f" from {low}" if low is not None else "")
        + (f" to {high}" if high is not None else "")
    )
