"""D01: an unknown key, or a value that the objective does not take."""

from collections.abc import Iterator, Mapping
from typing import Any

from spaces.errors import nearest
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
            yield Finding("D01", "error", f"{name}={value!r} is not {_wanted(fields[name])}")
    for param in study.space:
        for value in param.corners() if param.name in fields else ():
            if not _takes(fields[param.name], value):
                wanted = _wanted(fields[param.name])
                message = f"the space draws {param.name}={value!r}, which is not {wanted}"
                yield Finding("D01", "error", message)


def _takes(field: Mapping[str, Any], value: Value) -> bool:
    kind = field["type"]
    if kind == "bool":
        return isinstance(value, bool)
    if kind == "choice":
        return value in field["choices"]
    if kind == "name":  # the objective itself refuses an unknown one
        return isinstance(value, str)
    number = isinstance(value, int) if kind == "int" else isinstance(value, int | float)
    return number and not isinstance(value, bool) and _in_range(field, value)


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
