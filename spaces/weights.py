"""The weights of options in a prior: what they may be, and how little one of them may get."""

import math
from collections.abc import Iterable

from spaces.errors import StudyError

LEAST_SHARE = 0.001  # of an option in its prior


def check_weights(named: str, weights: Iterable[tuple[object, object]]) -> None:
    """Raise StudyError for weights that are none, or that all but exclude an option.

    named: the parameter, such as "Choice 'backbone'".
    weights: of each option.
    """
    given = list(weights)
    for option, weight in given:
        if not is_number(weight) or not 0 <= weight < math.inf:  # type: ignore[operator]
            raise StudyError(
                f"{named} gives {option!r} the weight {weight!r}",
                "give every option a finite number above 0, such as 0.2",
            )
    numbers = [float(weight) for _, weight in given]  # type: ignore[arg-type]
    whole = sum(numbers)
    if not 0 < whole < math.inf:
        raise StudyError(
            f"{named} has weights that add up to {whole:g}",
            "give every option a finite number above 0, such as 0.2",
        )
    if len(set(numbers)) == 1:
        return  # no prior, however many options there are
    for (option, _), weight in zip(given, numbers, strict=True):
        check_share(f"{named} gives {option!r}", weight / whole)


def check_share(giving: str, share: float) -> None:
    """Refuse an option that a prior all but excludes: results could not speak for it."""
    if share < LEAST_SHARE:
        raise StudyError(
            f"{giving} {share:.3g} of the weight",
            f"leave the option out (fix the parameter where one is left), or give it"
            f" {LEAST_SHARE:g} or more",
        )


def is_number(value: object) -> bool:
    """Say whether a value is a number, which True and False are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)
