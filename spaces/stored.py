"""A study as it is stored: with the facts settled at its creation, as JSON, with a fingerprint."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from itertools import compress
from typing import Any

from spaces.data import KINDS as DATA_KINDS
from spaces.data import Data, kind_of
from spaces.errors import StudyError
from spaces.found import Found
from spaces.own import KIND_OF_OWN, own_from_json
from spaces.params import Choice, Float, Int, Toggle, Value
from spaces.priors import Prior
from spaces.script import KIND_OF_RESULTS, Script
from spaces.space import Space, TrialConfig
from spaces.study import Practice, Pruning, Study

PARAM_KINDS = {"float": Float, "int": Int, "choice": Choice, "toggle": Toggle}
KIND_OF_PARAM = {declared: kind for kind, declared in PARAM_KINDS.items()}

# A study that goes on takes these fields from its changed file.
ADOPTED_FIELDS = ("about", "stall_minutes", "outage_minutes", "keep")
# These may differ, too: `--trials` changes the total, and the practice form is another study.
FREE_FIELDS = {"trials", "practice", *ADOPTED_FIELDS}


@dataclass(frozen=True)
class StoredStudy:
    """A study with the facts that were settled at its creation: all that a worker needs.

    A new study takes this form before it is stored.
    """

    study: Study
    found: Found = field(default_factory=Found)

    @property
    def objective(self) -> str | Mapping[str, Any]:
        """The objective as `objectives.catalog` takes it: a name, or the description of one."""
        return self.found.own or str(self.study.objective)

    @property
    def settled(self) -> TrialConfig:
        """The values that no trial draws: the defaults, and the fixed values over them."""
        return {**self.found.defaults, **self.study.fixed}

    def config(self, drawn: Mapping[str, Value]) -> TrialConfig:
        """Return the whole configuration of a trial: the drawn values over the settled ones."""
        return {**self.settled, **drawn}

    def pinned(self, values: Mapping[str, Value]) -> "StoredStudy":
        """Return this study with `values` fixed and no longer searched (`--set key=value`)."""
        pins = {**self.found.pins, **values}
        return StoredStudy(self.study.pinned(values), replace(self.found, pins=pins))

    def for_practice(self) -> "StoredStudy":
        """Return the small study that runs on this study's practice set."""
        return StoredStudy(self.study.for_practice(), replace(self.found, is_practice=True))

    def without_backbones(self, too_large: Sequence[Value]) -> "StoredStudy":
        """Return this study with some backbones never drawn, nor tried first.

        Raises StudyError when none is left.
        """
        if not too_large:
            return self
        study = self.study
        searched = study.space.get("backbone")
        options = searched.corners() if searched else (self.settled.get("backbone"),)
        if not set(options) - set(too_large):
            raise StudyError(
                f"{study.name}: not one image of {', '.join(map(str, options))} fits into this"
                " device's memory (search plan)",
                "use a smaller backbone or image_size",
            )
        fits = [each.get("backbone") not in too_large for each in study.enqueue]
        enqueue = list(compress(study.enqueue, fits))
        numbers = list(compress(self.found.promoted_trials, fits))
        fitting = replace(
            study,
            space=study.space.without({"backbone": too_large}),
            enqueue=enqueue,
            # A study of promoted trials has no others.
            trials=min(study.trials, max(1, len(numbers))) if numbers else study.trials,
        )
        return StoredStudy(
            fitting, replace(self.found, too_large=too_large, promoted_trials=numbers)
        )

    def promoted(self, number: int) -> str:
        """Return the trial that trial `number` repeats, as "derm 17"; "" for none."""
        numbers = self.found.promoted_trials
        return f"{self.found.promoted_from} {numbers[number]}" if number < len(numbers) else ""


def to_json(stored: StoredStudy) -> dict[str, Any]:
    """Return the study as plain JSON; fields at their default are left out."""
    return {"study": _declared(stored.study), "found": _declared(stored.found)}


def from_json(definition: Mapping[str, Any]) -> StoredStudy:
    """Read back what `to_json` returned; StudyError where another program or version wrote it."""
    try:
        return _from_json(definition)
    except (
        StudyError,
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        ArithmeticError,
    ) as error:
        found = getattr(error, "found", error)
        raise StudyError(
            f"the stored study{_name_in(definition)} cannot be read ({found})",
            "use the version of search that stored it",
        ) from error


def _name_in(definition: Any) -> str:
    """Return the name in a definition of any form, with a blank before it; "" without one."""
    study = definition.get("study") if isinstance(definition, Mapping) else None
    return f" {study['name']!r}" if isinstance(study, Mapping) and "name" in study else ""


def _from_json(definition: Mapping[str, Any]) -> StoredStudy:
    read: dict[str, Any] = dict(definition["study"])
    read["space"] = Space(tuple(map(param_from_json, read["space"])))
    if isinstance(read["objective"], Mapping):
        read["objective"] = own_from_json(read["objective"])
    if "data" in read:
        read["data"] = _data_from_json(read["data"])
    if "pruning" in read:
        read["pruning"] = Pruning(**read["pruning"])
    if "practice" in read:
        space = map(param_from_json, read["practice"].get("space", ()))
        read["practice"] = Practice(**{**read["practice"], "space": space})
    return StoredStudy(Study(**read), Found(**definition["found"]))


def own_to_json(study: Study) -> dict[str, Any]:
    """Return the objective of one's own as the plain mapping that `objectives.own` reads."""
    own = study.objective
    if isinstance(own, Script):
        return {"kind": KIND_OF_OWN[Script], **own.as_mapping(study.metric)}
    plain: dict[str, Any] = _plain(own)
    return plain


def data_to_json(study: Study) -> dict[str, Any]:
    """Return the data declaration as the plain mapping that an objective reads.

    It has every field, also those at their default, so that no reader repeats a default.
    """
    declared = {each.name: _plain(getattr(study.data, each.name)) for each in fields(study.data)}
    return {"kind": kind_of(study.data), **declared}


def fingerprint(stored: StoredStudy) -> str:
    """Return the hash of everything that must not change while the study goes on."""
    return hashlib.sha256(json.dumps(_lasting(stored), sort_keys=True).encode()).hexdigest()


def differences(stored: StoredStudy, given: StoredStudy) -> list[str]:
    """List the forbidden differences, one `field: old -> new` each."""
    return [
        f"{path}: {_short(old)} -> {_short(new)}"
        for path, old, new in _walk("", _lasting(stored), _lasting(given))
    ]


def _lasting(stored: StoredStudy) -> dict[str, Any]:
    """Return as JSON the fields that must not change, with the fixed values resolved.

    Pins and backbones that are too large are among them: they show in the fixed values, the space
    and the enqueued trials.
    """
    written = {
        name: value for name, value in _declared(stored.study).items() if name not in FREE_FIELDS
    }
    practice = {"is_practice": True} if stored.found.is_practice else {}
    return {**written, "fixed": _plain(stored.settled), **practice}


def param_from_json(plain: Mapping[str, Any]) -> Float | Int | Choice | Toggle:
    """Read one parameter back; StudyError for an unknown kind."""
    read = dict(plain)
    kind = read.pop("kind", None)
    if kind not in PARAM_KINDS:
        raise StudyError(f"parameter kind {kind!r} is unknown", f"use {', '.join(PARAM_KINDS)}")
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
    if type(value) in KIND_OF_OWN:
        return {"kind": KIND_OF_OWN[type(value)], **_declared(value)}
    if type(value) in KIND_OF_RESULTS:
        return {"kind": KIND_OF_RESULTS[type(value)], **_declared(value)}
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
    """Return the fields that are not at their default: a new field changes no fingerprint."""
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
    if not isinstance(value, list) or not value:
        return value
    are_params = all(isinstance(each, dict) and "name" in each for each in value)
    return {param["name"]: param for param in value} if are_params else value


def _short(value: Any) -> str:
    text = "absent" if value is None else json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
