"""D02: a parameter that nothing reads, wherever the study declares it."""

from collections.abc import Iterator, Mapping

from spaces.params import Param, Value
from spaces.rules.conditions import can_act, condition_words, trials
from spaces.rules.fields import Fields
from spaces.rules.finding import Finding
from spaces.study import Study


def dead_parameters(study: Study, fields: Fields) -> Iterator[Finding]:
    """Find what is searched (an error) or fixed (a warning), and acts in no trial."""
    for param in study.space:
        if not _acts_somewhere(param.name, study, fields):
            yield Finding(
                "D02",
                "error",
                f"{param.name!r} is searched but acts only when {_needed(param.name, fields)},"
                " which is so in no trial that draws it;"
                f" remove {param.name!r}, or let that be so",
            )
    for name, value in study.fixed.items():
        is_default = value == fields.get(name, {}).get("default")
        if not is_default and not _acts_somewhere(name, study, fields):
            yield Finding(
                "D02",
                "warn",
                f"{name}={value!r} is fixed but acts only when {_needed(name, fields)}, which is so"
                f" in no trial; remove {name!r}, or let that be so",
            )


def dead_enqueued_values(study: Study) -> Iterator[Finding]:
    """Find what an enqueued trial sets although it cannot have it: it would run without a word."""
    for values in study.enqueue:
        for name, value in values.items():
            param = study.space.get(name)
            if name in study.fixed and study.fixed[name] != value:
                why = f"which is fixed at {study.fixed[name]!r}"
            elif param and (unmet := _unmet(param, values)):
                why = f"which waits for {unmet}"
            else:
                continue
            message = f"an enqueued trial sets {name}={value!r}, {why}; change one of them"
            yield Finding("D02", "error", message)


def _acts_somewhere(name: str, study: Study, fields: Fields) -> bool:
    if name not in fields:
        return True  # another rule's business
    alternatives = fields[name].get("acts_when", ())
    needed = {each for condition in alternatives for each in condition}
    return not alternatives or any(
        can_act(fields[name], config)
        for drawn, config in trials(study, fields, name, *needed)
        if name in drawn or name not in study.space.names
    )


def _needed(name: str, fields: Fields) -> str:
    return " or ".join(map(condition_words, fields[name]["acts_when"]))


def _unmet(param: Param, values: Mapping[str, Value]) -> str:
    """Give the first condition of a parameter that an enqueued trial itself rules out, or ""."""
    return next(
        (
            f"{name}={value!r}"
            for name, value in param.when.items()
            if values.get(name, value) != value
        ),
        "",
    )
