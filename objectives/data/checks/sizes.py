"""C10 and S01: how much the validation and test images can tell."""

import math
from collections.abc import Iterator

from objectives.data.checks.evidence import Evidence
from objectives.data.checks.wording import percent_points, some
from objectives.data.problems import Problem

FEWEST = 30  # images of a class: at nine of ten right, known to +-11 pt
RIGHT = 0.9  # the share of right answers that half-widths are given for
Z = 1.959964  # the normal distribution's 97.5 % point


def check_sizes(evidence: Evidence) -> Iterator[Problem]:
    """C10: a class of which too few images are held out to say how well it is known."""
    few = [
        (count[label], label, split)
        for split, count in evidence.held_out.items()
        for label in evidence.classes
        if count[label] < FEWEST
    ]
    if few:
        told = [
            f"{label} has {images} in {split} ({percent_points(half_width(images))})"
            for images, label, split in sorted(few)
        ]
        yield Problem(
            rule="C10",
            level="warn",
            message=(
                f"fewer than {FEWEST} images of a class: {some(told)}, 95 % half-widths at 90 % right; "
                "add images of these classes, or judge them together over several seeds or folds"
            ),
        )


def tell_resolution(evidence: Evidence) -> Iterator[Problem]:
    """S01: differences under these half-widths are noise."""
    told = []
    for split, count in evidence.held_out.items():
        rarest = min(evidence.classes, key=lambda label: count[label])
        overall = percent_points(half_width(count.total()))
        told.append(
            f"{split} {overall} overall, {percent_points(half_width(count[rarest]))} on {rarest}"
        )
    if told:
        yield Problem(
            rule="S01",
            level="info",
            message=(
                f"what can be resolved at 90 % right (95 % half-widths, if images were independent): "
                f"{'; '.join(told)}; take smaller differences for noise"
            ),
        )


def half_width(images: int, right: float = RIGHT) -> float:
    """Give half the width of a share's 95 % interval (Wilson 1927); of no image it is all open."""
    if not images:
        return 0.5
    spread = math.sqrt(right * (1 - right) / images + Z**2 / (4 * images**2))
    return Z * spread / (1 + Z**2 / images)
