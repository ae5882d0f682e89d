"""Finished trials that a study guarantees to every option of a parameter."""

from collections import Counter
from collections.abc import Mapping, Sequence

from spaces.errors import StudyError, nearest
from spaces.params import Choice, Param, Toggle, Value
from spaces.space import Space

Queue = Sequence[Mapping[str, Value]]


def check_at_least(at_least: Mapping[str, int], space: Space, queue: Queue, trials: int) -> None:
    """Raise StudyError for a guarantee that the study cannot give.

    queue: the trials that are tried first, and not drawn.
    """
    for name, least in at_least.items():
        param = space.get(name)
        if param is None:
            raise StudyError(f"at_least names {name!r}, which is not searched", _meant(name, space))
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
        needed = _needed(param, least, queue[:trials])
        if needed > trials:
            most = _most(param, least, queue, trials)
            fewer = f"give at most {most}, or " if most else "give "
            raise StudyError(
                f"at_least wants {least} trials of each of the {len(param.corners())} options of"
                f" {name!r}, which with the first and the enqueued ones takes {needed} of {trials}",
                f"{fewer}{needed} trials or more",
            )


def affordable(
    at_least: Mapping[str, int], space: Space, queue: Queue, trials: int
) -> dict[str, int]:
    """Return the guarantees that a smaller study can give."""
    most = {
        param.name: _most(param, at_least[param.name], queue, trials)
        for param in space
        if param.name in at_least
    }
    return {name: least for name, least in most.items() if least}


def _most(param: Param, least: int, queue: Queue, trials: int) -> int:
    """Return the largest guarantee up to `least` that a study can give; 0 for none."""
    able = (n for n in range(least, 0, -1) if _needed(param, n, queue[:trials]) <= trials)
    return next(able, 0)


def _needed(param: Param, least: int, queue: Queue) -> int:
    """Return how many trials it takes to give each option its trials, those of the queue first."""
    queued = Counter(trial[param.name] for trial in queue if param.name in trial)
    return sum(max(least, queued[option]) for option in param.corners())


def _meant(name: str, space: Space) -> str:
    options = [param for param in space if isinstance(param, Choice | Toggle) and not param.when]
    having = [param.name for param in options if isinstance(param, Choice) and param.takes(name)]
    if having:
        return f"name {having[0]!r}, whose options get that many each"
    names = [param.name for param in options]
    return nearest(name, names) if names else "leave at_least out, or search a choice or a toggle"
