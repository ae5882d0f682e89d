"""The configurations a study can draw, and whether a hyperparameter acts in one of them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from spaces.rules.fields import Fields, default_values
from spaces.space import TrialConfig
from spaces.study import Study


def drawable(
    study: Study, fields: Fields, names: Iterable[str]
) -> Iterator[tuple[TrialConfig, TrialConfig]]:
    """Yield values of these parameters that a trial can draw, each with its whole configuration.

    The values are every option and both ends of every range, in all combinations; where these are
    too many, in every pair.
    """
    settled = {**default_values(fields), **study.fixed}
    for drawn in study.space.around(names).corners():
        yield drawn, {**settled, **drawn}


def can_act(field: Mapping[str, Any], config: Mapping[str, Any]) -> bool:
    """Say whether a field is read in a configuration, defaults included."""
    alternatives = field.get("acts_when", ())
    return not alternatives or any(_holds(each, config) for each in alternatives)


def condition_words(condition: Mapping[str, Any]) -> str:
    """Write a condition of a recipe's `acts_when` in words, such as `head=hidden`."""
    words = (
        f"{name}>={wanted['at_least']}"
        if isinstance(wanted, Mapping)
        else f"{name}={' or '.join(map(str, wanted))}"
        for name, wanted in condition.items()
    )
    return " and ".join(words)


def _holds(condition: Mapping[str, Any], config: Mapping[str, Any]) -> bool:
    return all(
        config[name] >= wanted["at_least"]
        if isinstance(wanted, Mapping)
        else config[name] in wanted
        for name, wanted in condition.items()
    )
