"""Finished trials that a study guarantees to every option of a parameter."""

from collections.abc import Mapping

from spaces.errors import StudyError, nearest
from spaces.params import Choice, Param, Toggle
from spaces.space import Space


def check_at_least(at_least: Mapping[str, int], space: Space, trials: int) -> None:
    """Raise StudyError for a guarantee that the study cannot give."""
    for name, least in at_least.items():
        param = space.get(name)
        if param is None:
            raise StudyError(
                f"at_least names {name!r}, which is not searched", nearest(name, space.names)
            )
        if not isinstance(param, Choice | Toggle):
            raise StudyError(
                f"at_least names {name!r}, which is a number", "name a Choice or a Toggle"
            )
        if param.when:
            raise StudyError(
                f"at_least names {name!r}, which exists only in some trials",
                f"name {next(iter(param.when))!r}, on which it depends",
            )
        if least < 1:
            raise StudyError(
                f"at_least has {least} for {name!r}", "give 1 or more, or leave it out"
            )
        if _needed(param, least) > trials:
            raise StudyError(
                f"at_least wants {least} trials of each of the {len(param.corners())} options of"
                f" {name!r}, {_needed(param, least)} of {trials} in all",
                f"give at most {trials // len(param.corners())}, or more trials",
            )


def affordable(at_least: Mapping[str, int], space: Space, trials: int) -> dict[str, int]:
    """Return the guarantees that a smaller study can give, at most an equal share per option."""
    most = {
        param.name: min(at_least[param.name], trials // len(param.corners()))
        for param in space
        if param.name in at_least
    }
    return {name: least for name, least in most.items() if least}


def _needed(param: Param, least: int) -> int:
    return least * len(param.corners())
