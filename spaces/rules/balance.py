"""D04, D05: configurations that a trial can draw and that are known to train badly."""

from collections.abc import Iterator

from spaces.rules.conditions import drawable
from spaces.rules.fields import Fields
from spaces.rules.finding import Finding
from spaces.space import TrialConfig
from spaces.study import Study

_MECHANISMS = ("ldam", "weighted_sampler", "balancing")
# From a published 3-D study: margins need images of rare classes in a batch, for which two images
# were too few.
SMALLEST_LDAM_BATCH = 4
# From the same study: 5 to 10 times the backbone's learning rate overshot, twice was right.
LARGEST_HEAD_MULTIPLE = 5


def stacked_balancing(study: Study, fields: Fields) -> Iterator[Finding]:
    """Find trials in which two mechanisms correct the same imbalance."""
    if not fields.keys() >= set(_MECHANISMS):
        return
    stacks = [
        found
        for _, config in drawable(study, fields, _MECHANISMS)
        if len(found := _mechanisms(config)) > 1
    ]
    for first, second in dict.fromkeys((stack[0], stack[1]) for stack in stacks):
        yield Finding(
            "D04",
            "warn",
            f"a trial can draw {first} and {second} together, which corrects the imbalance twice;"
            " search one of them or read such trials with care",
        )


def small_ldam_batches(study: Study, fields: Fields) -> Iterator[Finding]:
    """Find LDAM on batches so small that they hardly ever hold a rare class."""
    if "ldam" not in fields:
        return
    sizes = [
        config["batch_size"]
        for _, config in drawable(study, fields, ("batch_size", "ldam", "balancing"))
        if _has_margins(config)
    ]
    smallest = min(map(int, sizes), default=SMALLEST_LDAM_BATCH)  # type: ignore[arg-type]
    if smallest < SMALLEST_LDAM_BATCH:
        yield Finding(
            "D05",
            "warn",
            f"a trial can draw LDAM with batches of {smallest}, which hardly ever hold a rare"
            f" class; set batch_size to {SMALLEST_LDAM_BATCH} or more (micro_batch saves memory)",
        )


def fast_heads(study: Study, fields: Fields) -> Iterator[Finding]:
    """Find heads that learn much faster than their backbone."""
    if "head_multiple" not in fields:
        return
    drawn = drawable(study, fields, ("head_multiple",))
    largest = max(float(config["head_multiple"] or 0) for _, config in drawn)
    if largest > LARGEST_HEAD_MULTIPLE:
        yield Finding(
            "D05",
            "warn",
            f"a trial can draw head_multiple {largest:g}: a head that learns over"
            f" {LARGEST_HEAD_MULTIPLE} times as fast as its backbone overshoots; keep it at"
            f" {LARGEST_HEAD_MULTIPLE} or less",
        )


def _mechanisms(config: TrialConfig) -> list[str]:
    words = {"ldam": "LDAM", "weighted_sampler": "the weighted sampler"}
    found = [word for name, word in words.items() if config[name]]
    return found + ([f"balancing={config['balancing']}"] if config["balancing"] != "none" else [])


def _has_margins(config: TrialConfig) -> bool:
    return bool(config["ldam"]) or config["balancing"] in ("ldam", "ldam_drw")
