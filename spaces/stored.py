"""A study as JSON: how it is stored, compared and read back."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from typing import Any

from spaces.data import KINDS as DATA_KINDS
from spaces.data import Data, kind_of
from spaces.errors import StudyError
from spaces.params import Choice, Float, Int, Toggle
from spaces.priors import Prior
from spaces.space import Space
from spaces.study import Practice, Pruning, Study

PARAM_KINDS = {"float": Float, "int": Int, "choice": Choice, "toggle": Toggle}
KIND_OF_PARAM = {declared: kind for kind, declared in PARAM_KINDS.items()}

# What a changed file changes in a study that goes on: its words, its patience, what it keeps.
ADOPTED_FIELDS = ("about", "stall_minutes", "outage_minutes", "keep")
# Beside those, what is found at its creation or asked for at each start.
FREE_FIELDS = {"trials", "practice", "weights", "skipped_checks", *ADOPTED_FIELDS}


def to_json(study: Study) -> dict[str, Any]:
    """Give the study as plain JSON; fields at their default are left out."""
    return _declared(study)


def from_json(definition: Mapping[str, Any]) -> Study:
    """Read back what `to_json` gave."""
    read: dict[str, Any] = dict(definition)
    read["space"] = Space(tuple(param_from_json(param) for param in read["space"]))
    if "data" in read:
        read["data"] = _data_from_json(read["data"])
    if "pruning" in read:
        read["pruning"] = Pruning(**read["pruning"])
    if "practice" in read:
        practice = dict(read["practice"])
        practice["space"] = tuple(map(param_from_json, practice.get("space", ())))
        read["practice"] = Practice(**practice)
    return Study(**read)


def data_to_json(study: Study) -> dict[str, Any]:
    """Give the data declaration as the plain mapping that an objective reads."""
    plain: dict[str, Any] = _plain(study.data)
    return plain


def fingerprint(study: Study) -> str:
    """Give the hash of all that must not change while the study goes on."""
    kept = {key: value for key, value in to_json(study).items() if key not in FREE_FIELDS}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def differences(stored: Study, given: Study) -> list[str]:
    """Say what differs between two studies, one `field: stored -> given` each."""
    return [
        f"{path}: {_short(old)} -> {_short(new)}"
        for path, old, new in _walk("", to_json(stored), to_json(given))
        if path.split(".")[0] not in FREE_FIELDS
    ]


def param_from_json(plain: Mapping[str, Any]) -> Float | Int | Choice | Toggle:
    """Read one parameter back."""
    read = dict(plain)
    kind = read.pop("kind", None)
    if kind not in PARAM_KINDS:
        raise StudyError(f"parameter kind {kind!r} is unknown; use {', '.join(PARAM_KINDS)}")
    if isinstance(read.get("prior"), Mapping):
        read["prior"] = Prior(**read["prior"])
    if kind == "choice":
        read["options"] = _options_from_json(read["options"], read.pop("weights", None))
    param: Float | Int | Choice | Toggle = PARAM_KINDS[kind](**read)
    return param


def _options_from_json(options: list[Any], weights: list[float] | None) -> Any:
    return dict(zip(options, weights, strict=True)) if weights else tuple(options)


def _data_from_json(plain: Mapping[str, Any]) -> Data:
    read: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in plain.items()
    }
    declared: Any = DATA_KINDS[read.pop("kind")]
    data: Data = declared(**read)
    return data


def _plain(value: Any) -> Any:
    if isinstance(value, Choice):
        return _choice(value)
    if type(value) in KIND_OF_PARAM:
        return {"kind": KIND_OF_PARAM[type(value)], **_declared(value)}
    if type(value) in DATA_KINDS.values():
        return {"kind": kind_of(value), **_declared(value)}
    if isinstance(value, Space):
        return [_plain(param) for param in value]
    if isinstance(value, Prior | Pruning | Practice):
        return _declared(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def _choice(choice: Choice) -> dict[str, Any]:
    # Options may be numbers or None, which JSON cannot keep as keys: two lists instead.
    plain = {"kind": "choice", **_declared(choice), "options": list(choice.choices)}
    return plain | (
        {"weights": list(choice.weights)} if isinstance(choice.options, Mapping) else {}
    )


def _declared(declared: Any) -> dict[str, Any]:
    """Give the fields that are not at their default, so that a new field changes no fingerprint."""
    return {
        field.name: _plain(getattr(declared, field.name))
        for field in fields(declared)
        if not _is_default(field, getattr(declared, field.name))
    }


def _is_default(field: Field[Any], value: Any) -> bool:
    if field.default_factory is not MISSING:
        return bool(value == field.default_factory())
    return field.default is not MISSING and bool(value == field.default)


def _walk(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield the paths at which two JSON values differ; a list of parameters goes by name."""
    old, new = _by_name(old), _by_name(new)
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            inner = f"{path}.{key}" if path else key
            yield from _walk(inner, old.get(key), new.get(key))
    elif old != new:
        yield path, old, new


def _by_name(value: Any) -> Any:
    if (
        isinstance(value, list)
        and value
        and all(isinstance(v, dict) and "name" in v for v in value)
    ):
        return {param["name"]: param for param in value}
    return value


def _short(value: Any) -> str:
    text = "absent" if value is None else json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
