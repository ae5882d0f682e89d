"""Priors about a landscape: good ones, shifted ones and wrong ones, all of medium confidence."""

from collections.abc import Mapping
from dataclasses import replace
from random import Random

from benchmarks.search_quality.landscape import Landscape, position
from spaces.params import Choice, Float, Int, Param, Toggle, Value
from spaces.priors import Prior, Scale
from spaces.space import Space

# How far the center is from the best value, as a share of the range.
NEAR, SHIFTED, FAR = 0.05, 0.18, 0.5
# The weight of the best option, the rest is shared equally; FAR has this on another option.
WEIGHTS: Mapping[float, float] = {NEAR: 0.65, SHIFTED: 0.45, FAR: 0.65}
SHARED = 0.35  # SHIFTED: the weight of one other option, which is nearly the best one's

BELIEFS: Mapping[str, str] = {
    "good": f"the center {NEAR} of the range off",
    "offset": f"the center {SHIFTED} of the range off",
    "one wrong": f"one parameter {FAR} of the range off, the others good",
    "two only": "good, about two parameters alone",
    "wrong": f"the center {FAR} of the range off",
    "none": "no prior",
}


def believed(landscape: Landscape, belief: str, seed: int) -> Space:
    """Return the landscape's space with priors; the same seed moves the centers the same way."""
    random = Random(f"{landscape.name}/{seed}")
    names = [each.name for each in landscape.space if not each.when]
    chosen = random.sample(names, 2)
    moves = {each.name: _move(belief, each.name, chosen) for each in landscape.space}
    params = {
        each.name: _with_prior(each, landscape.best[each.name], moves[each.name], random)
        for each in landscape.space
    }
    return landscape.space.replaced(params)


def _move(belief: str, name: str, chosen: list[str]) -> float | None:
    match belief:
        case "good":
            return NEAR
        case "offset":
            return SHIFTED
        case "wrong":
            return FAR
        case "one wrong":
            return FAR if name == chosen[0] else NEAR
        case "two only":
            return NEAR if name in chosen else None
    return None


def _with_prior(param: Param, best: Value, move: float | None, random: Random) -> Param:
    side, other = random.choice((-1, 1)), random.random()  # drawn for every belief alike
    if move is None:
        return param
    match param:
        case Float() | Int():
            place = position(param, best)
            center = place + side * move if 0 <= place + side * move <= 1 else place - side * move
            scale = Scale(param.low, param.high, param.log)
            return replace(param, prior=Prior(scale.from_unit(center)))
        case Choice():
            return replace(param, options=_weights(param, best, move, other))
        case Toggle():
            weight = {NEAR: 0.75, SHIFTED: 0.55, FAR: 0.25}[move]
            return replace(param, prior=weight if best else 1 - weight)
    raise TypeError(f"{param!r} is no parameter of a space")


def _weights(param: Choice, best: Value, move: float, other: float) -> dict[Value, float]:
    """Weigh the options: the best one most, with another beside it, or another one most."""
    others = [each for each in param.choices if each != best]
    second = others[int(other * len(others))]
    first = second if move == FAR else best
    rest = [each for each in param.choices if each != first]
    weights = {each: (1 - WEIGHTS[move]) / len(rest) for each in rest} | {first: WEIGHTS[move]}
    if move == SHIFTED and len(others) > 1:
        left = (1 - WEIGHTS[move] - SHARED) / (len(others) - 1)
        weights = dict.fromkeys(others, left) | {best: WEIGHTS[move], second: SHARED}
    return {each: weights[each] for each in param.choices}
