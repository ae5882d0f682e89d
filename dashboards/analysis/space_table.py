"""The searched parameters of a study in words: their values, their priors, their conditions."""

from collections.abc import Iterator, Mapping

from dashboards.analysis.numbers import exact
from dashboards.analysis.sections import Code, Phrase, Table
from spaces.params import Choice, Float, Int, Param, Toggle
from spaces.space import Space


def space_table(space: Space) -> Table:
    """Build the table of the searched parameters, in drawing order."""
    rows = [[[Code(param.name)], *_described(param), _condition(param)] for param in space]
    return Table(["parameter", "values", "prior", "only when"], rows)


def _described(param: Param) -> tuple[Phrase, Phrase]:
    """Return the values of a parameter and its prior, in words."""
    match param:
        case Float() | Int():
            prior = param.prior
            ends = f"{exact(param.low)} to {exact(param.high)}" + (", log" if param.log else "")
            return [ends], (
                [
                    f"around {exact(prior.center)}, {prior.confidence} confidence"
                    if prior
                    else "uniform"
                ]
            )
        case Choice():
            return [", ".join(map(exact, param.choices))], [", ".join(_shares(param)) or "uniform"]
        case Toggle():
            return ["off, on"], [f"on {param.prior:.0%}"]
    raise TypeError(f"a table has no words for {type(param).__name__}; add them here")


def _shares(choice: Choice) -> Iterator[str]:
    if isinstance(choice.options, Mapping):
        whole = sum(choice.weights)
        for option, weight in choice.options.items():
            yield f"{exact(option)} {weight / whole:.0%}"


def _condition(param: Param) -> Phrase:
    parts: list[str | Code] = []
    for name, value in param.when.items():
        parts += [", " if parts else "", Code(name), f" is {exact(value)}"]
    return parts
