"""D02: a parameter that nothing reads, wherever the study declares it."""

from collections.abc import Iterator, Mapping

from spaces.params import Param, Value
from spaces.rules.conditions import can_act, condition_words, drawable
from spaces.rules.fields import Fields
from spaces.rules.finding import Finding
from spaces.study import Study


def dead_parameters(study: Study, fields: Fields) -> Iterator[Finding]:
    """Find parameters that act in no trial: an error if searched, a warning if fixed."""
    for param in study.space:
        if not _acts_somewhere(param.name, study, fields):
            yield Finding(
                "D02",
                "error",
                f"{param.name!r} is searched but acts only when {_conditions(param.name, fields)},"
                " which no trial that draws it meets;"
                f" remove {param.name!r}, or make this condition possible",
            )
    for name, value in study.fixed.items():
        is_default = value == fields.get(name, {}).get("default")
        if not is_default and not _acts_somewhere(name, study, fields):
            yield Finding(
                "D02",
                "warn",
                f"{name}={value!r} is fixed but acts only when {_conditions(name, fields)},"
                f" which no trial meets; remove {name!r}, or make this condition possible",
            )


def dead_enqueued_values(study: Study) -> Iterator[Finding]:
    """Find values of an enqueued trial that it cannot have, so that it would run without them."""
    for values in study.enqueue:
        for name, value in values.items():
            param = study.space.get(name)
            if name in study.fixed and study.fixed[name] != value:
                why = f"which is fixed at {study.fixed[name]!r}"
            elif param and (unmet := _unmet(param, values)):
                why = f"which needs {unmet}"
            else:
                continue
            message = f"an enqueued trial sets {name}={value!r}, {why}; change one of them"
            yield Finding("D02", "error", message)


def _acts_somewhere(name: str, study: Study, fields: Fields) -> bool:
    if name not in fields:
        return True  # D01 reports it
    alternatives = fields[name].get("acts_when", ())
    asked = {each for condition in alternatives for each in condition}
    return not alternatives or any(
        can_act(fields[name], config)
        for drawn, config in drawable(study, fields, (name, *asked))
        if name in drawn or name not in study.space.names
    )


def _conditions(name: str, fields: Fields) -> str:
    return " or ".join(map(condition_words, fields[name]["acts_when"]))


def _unmet(param: Param, values: Mapping[str, Value]) -> str:
    """Return the first condition of a parameter that an enqueued trial rules out, or ""."""
    return next(
        (
            f"{name}={value!r}"
            for name, value in param.when.items()
            if values.get(name, value) != value
        ),
        "",
    )
