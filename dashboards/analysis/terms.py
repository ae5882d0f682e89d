"""Why a word of a filter says nothing about the trials of a study."""

from collections.abc import Iterator

from optuna.distributions import CategoricalDistribution

from dashboards.analysis.distributions import distributions
from dashboards.analysis.sorting import DRAWN, STATES, TERM
from spaces.errors import nearest
from spaces.study import Study
from storage.engine.changes import WAYS


def fault_of(study: Study, word: str) -> str:
    """Say what is wrong with a word that `find` did not understand, and what is known."""
    term = TERM.fullmatch(word)
    if term is None:
        return f"{word!r} is no state, nor NAME=VALUE or NAME<VALUE; {nearest(word, STATES)}"
    name, value, known = term["name"], term["value"], distributions(study.space)
    if name == DRAWN and name not in known:
        return f"{name} has =, != and one of {', '.join(WAYS[1:])}"
    if name not in {"trial", "value", study.metric, *known}:
        return f"there is nothing called {name!r}; {nearest(name, _names(study))}"
    drawn_from = known.get(name)
    if not isinstance(drawn_from, CategoricalDistribution):
        return f"{name} is a number, and {value!r} is none; write one such as {name}<0.5"
    options = ", ".join(str(option) for option in drawn_from.choices)
    if term["sign"] not in ("=", "!="):
        return (
            f"{name} has options, which {term['sign']} does not order; use = or != with {options}"
        )
    return f"{name} has no option {value!r}; it has {options}"


def _names(study: Study) -> Iterator[str]:
    yield from ("trial", "value", study.metric, DRAWN, *study.space.names)
