"""D07: a prior that leaves next to nothing of a parameter's values to be drawn."""

from collections.abc import Iterator

from spaces.params import Choice, Float, Int, Toggle, drawing_scale
from spaces.priors import narrowest_part
from spaces.rules.finding import Finding
from spaces.study import Study

# Of a hundred draws one lies outside, and most studies have fewer trials.
NEARLY_ALL = 0.99
SMALL_PART = 1 / 3  # of the range; a narrower part is what "high" leaves at an end of it
MANY_TIMES = 1000  # the low end: a range of which a linear scale hardly draws the lower decades


def narrow_priors(study: Study) -> Iterator[Finding]:
    """Find priors with which nearly all draws are one option, or lie in a third of the range."""
    if study.sampler == "random":
        return  # it asks no prior
    for param in study.space:
        if isinstance(param, Float | Int):
            yield from _narrow_range(param)
        elif isinstance(param, Choice | Toggle):
            yield from _single_option(param)


def _narrow_range(param: Float | Int) -> Iterator[Finding]:
    if param.prior is None:
        return
    scale = drawing_scale(param)
    center = scale.to_unit(param.prior.center)
    low, high = narrowest_part(center, param.prior.confidence, NEARLY_ALL)
    if high - low <= SMALL_PART:
        ends = f"{scale.from_unit(low):.2g} to {scale.from_unit(high):.2g}"
        is_wide = not param.log and 0 < param.low * MANY_TIMES <= param.high
        logarithm = "add log=True, " if is_wide else ""
        yield Finding(
            "D07",
            "warn",
            f"the prior of {param.name!r} has {NEARLY_ALL:.0%} of its draws at {ends},"
            f" {high - low:.0%} of the range, so that hardly a trial tries the rest;"
            f' {logarithm}say "medium", or narrow the range',
        )


def _single_option(param: Choice | Toggle) -> Iterator[Finding]:
    options, whole = param.corners(), sum(param.weights)
    option, weight = max(zip(options, param.weights, strict=True), key=lambda pair: pair[1])
    if len(options) > 1 and weight / whole >= NEARLY_ALL:
        yield Finding(
            "D07",
            "warn",
            f"the prior of {param.name!r} draws {option!r}, one of {len(options)} options,"
            f" {100 * weight / whole:.3g}% of the time, so that hardly a trial tries another;"
            f" give the others more than {1 - NEARLY_ALL:.2f} of the weight, or fix it",
        )
