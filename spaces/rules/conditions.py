"""What a trial of a study can be, and whether it has what a hyperparameter needs to act."""

from collections.abc import Iterator, Mapping
from typing import Any

from spaces.rules.fields import Fields, default_values
from spaces.space import TrialConfig
from spaces.study import Study


def trials(study: Study, fields: Fields, *names: str) -> Iterator[tuple[TrialConfig, TrialConfig]]:
    """Yield what a trial can draw of these names, and all that it then has, defaults included.

    Every option and both ends of every range; of very many, every pair.
    """
    settled = {**default_values(fields), **study.fixed}
    for drawn in study.space.around(names).corners():
        yield drawn, {**settled, **drawn}


def can_act(field: Mapping[str, Any], config: Mapping[str, Any]) -> bool:
    """Say whether a configuration, defaults included, is one in which a field is read."""
    alternatives = field.get("acts_when", ())
    return not alternatives or any(_holds(each, config) for each in alternatives)


def condition_words(condition: Mapping[str, Any]) -> str:
    """Give a condition of a recipe's `acts_when` in words, such as `head=hidden`."""
    words = (
        f"{name}>={needed['at_least']}"
        if isinstance(needed, Mapping)
        else f"{name}={' or '.join(map(str, needed))}"
        for name, needed in condition.items()
    )
    return " and ".join(words)


def _holds(condition: Mapping[str, Any], config: Mapping[str, Any]) -> bool:
    return all(
        config[name] >= needed["at_least"]
        if isinstance(needed, Mapping)
        else config[name] in needed
        for name, needed in condition.items()
    )
