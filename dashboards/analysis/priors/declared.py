"""The declaration of a searched parameter in words: its values, its prior, its condition."""

from collections.abc import Iterator

from dashboards.analysis.numbers import exact
from spaces.params import Choice, Float, Int, Param, Toggle
from spaces.priors import UNIT_SPREAD
from spaces.shown import shown
from spaces.space import Space

UNIFORM = "uniform"


def values_of(param: Param) -> str:
    """Return the values that a parameter may take."""
    match param:
        case Float() | Int():
            return f"{exact(param.low)} to {exact(param.high)}" + (", log" if param.log else "")
        case _:
            return ", ".join(shown(exact(option)) for option in param.corners())


def prior_of(param: Param) -> str:
    """Return the belief that was declared before any trial."""
    match param:
        case Float() | Int() if param.prior:
            return f"around {exact(param.prior.center)}, {param.prior.confidence} confidence"
        case Choice() if len(set(param.weights)) > 1:
            whole = sum(param.weights)
            weighed = zip(param.choices, param.weights, strict=True)
            return ", ".join(
                f"{shown(exact(each))} {weight / whole:.0%}" for each, weight in weighed
            )
        case Toggle() if param.prior != 0.5:
            return f"on {param.prior:.0%}"
    return UNIFORM


def spreads(space: Space) -> Iterator[str]:
    """Yield what the words for confidence mean, in a sentence; nothing where none is used."""
    priors = [param.prior for param in space if isinstance(param, Float | Int) and param.prior]
    used = {prior.confidence for prior in priors}
    if words := [f"{UNIT_SPREAD[word]:g} for {word}" for word in UNIT_SPREAD if word in used]:
        yield (
            "The prior of a number is a normal distribution on its scale, cut to the range, with a"
            f" standard deviation in parts of the range of {' and '.join(words)} confidence."
        )


def has_priors(space: Space) -> bool:
    """Say whether a belief was declared about any parameter; even weights are none."""
    return any(prior_of(param) != UNIFORM for param in space)


def condition_of(param: Param) -> str:
    """Return when a parameter exists; "" for always."""
    return " and ".join(f"{name} is {shown(exact(value))}" for name, value in param.when.items())
