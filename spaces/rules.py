"""What can be found wrong with a study before any GPU is touched (ids as in the documentation).

D01 an unknown key or a value the objective does not take · D02 a searched parameter that nothing
reads · D04 stacked balancing · O01 metric and direction disagree · O03 a searched criterion as
ruler
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from spaces.errors import nearest
from spaces.params import Value
from spaces.space import TrialConfig
from spaces.study import Study

Fields = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Finding:
    """One thing found: its stable id, how bad it is, and a message that ends with the fix."""

    rule: str
    level: Literal["error", "warn"]
    message: str


def check(study: Study, fields: Fields, metrics: Fields) -> list[Finding]:
    """Give everything the rules find in `study`, errors first.

    fields: hyperparameter name -> {type, low, high, choices, default, acts_when}.
    metrics: metric name -> {direction, changed_by}.
    """
    found = [
        *_unknown_keys(study, fields),
        *_values_out_of_range(study, fields),
        *_dead_parameters(study, fields),
        *_stacked_balancing(study, fields),
        *_metric(study, metrics),
    ]
    return sorted(found, key=lambda finding: finding.level)


def _unknown_keys(study: Study, fields: Fields) -> Iterator[Finding]:
    for name in (*study.fixed, *study.pins, *study.params.names):
        if name not in fields:
            yield Finding(
                "D01",
                "error",
                f"{study.objective} has no parameter {name!r}; {nearest(name, fields)}",
            )


def _values_out_of_range(study: Study, fields: Fields) -> Iterator[Finding]:
    for name, value in {**study.fixed, **study.pins}.items():
        if name in fields and not _takes(fields[name], value):
            yield Finding("D01", "error", f"{name}={value!r} is not {_wanted(fields[name])}")
    for param in study.params:
        for value in param.corners() if param.name in fields else ():
            if not _takes(fields[param.name], value):
                yield Finding(
                    "D01",
                    "error",
                    f"the space draws {param.name}={value!r}, which is not"
                    f" {_wanted(fields[param.name])}",
                )


def _dead_parameters(study: Study, fields: Fields) -> Iterator[Finding]:
    for param in study.params:
        alternatives = fields.get(param.name, {}).get("acts_when", ())
        names = {name for condition in alternatives for name in condition}
        trials = _trials(study, fields, param.name, *names) if alternatives else ()
        drawing = [trial for drawn, trial in trials if param.name in drawn]
        acts = any(_holds(each, trial) for trial in drawing for each in alternatives)
        if alternatives and not acts:
            needed = " or ".join(map(condition_words, alternatives))
            yield Finding(
                "D02",
                "error",
                f"{param.name!r} is searched but acts only when {needed}, which is so in no trial"
                f" that draws it; remove {param.name!r}, or let that be so",
            )


def _holds(condition: Mapping[str, Any], trial: TrialConfig) -> bool:
    """Say whether a trial has what a condition of a recipe's `acts_when` asks for."""
    return all(
        trial[name] >= needed["at_least"] if isinstance(needed, Mapping) else trial[name] in needed
        for name, needed in condition.items()
    )


def condition_words(condition: Mapping[str, Any]) -> str:
    """Give a condition of a recipe's `acts_when` in words, such as `head=hidden`."""
    words = (
        f"{name}>={needed['at_least']}"
        if isinstance(needed, Mapping)
        else f"{name}={' or '.join(map(str, needed))}"
        for name, needed in condition.items()
    )
    return " and ".join(words)


def _stacked_balancing(study: Study, fields: Fields) -> Iterator[Finding]:
    both = ("ldam", "weighted_sampler")
    if not fields.keys() >= set(both):
        return
    if any(all(trial[name] for name in both) for _, trial in _trials(study, fields, *both)):
        yield Finding(
            "D04",
            "warn",
            "a trial can draw LDAM and the weighted sampler together, which corrects the imbalance"
            " twice; search one of them or read such trials with care",
        )


def _metric(study: Study, metrics: Fields) -> Iterator[Finding]:
    if study.metric not in metrics:
        yield Finding(
            "O01",
            "error",
            f"{study.objective} reports no {study.metric!r}; {nearest(study.metric, metrics)}",
        )
    elif metrics[study.metric]["direction"] != study.direction:
        yield Finding(
            "O01",
            "error",
            f"{study.metric} is to {metrics[study.metric]['direction']}, but the study says"
            f" {study.direction}; change the direction or the metric",
        )
    for name in metrics.get(study.metric, {}).get("changed_by", ()):
        if name in study.params.names:
            yield Finding(
                "O03",
                "error",
                f"{study.metric} is another measure with every {name!r} that is searched, so its"
                " values cannot be compared; use val_loss",
            )


def _trials(study: Study, fields: Fields, *names: str) -> Iterator[tuple[TrialConfig, TrialConfig]]:
    """Yield what a trial can draw of these names and all that it then has, defaults included."""
    defaults = {name: field["default"] for name, field in fields.items()}
    for drawn in study.params.around(names).combinations():
        yield drawn, {**defaults, **study.config(drawn)}


def _takes(field: Mapping[str, Any], value: Value) -> bool:
    kind = field["type"]
    if kind == "bool":
        return isinstance(value, bool)
    if kind == "choice":
        return value in field["choices"]
    if kind == "name":  # the objective itself looks it up
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
