"""C10 and S01: the precision that the validation and test images allow."""

import math
from collections.abc import Iterator

from objectives.data.checks.evidence import Evidence
from objectives.data.problems import Problem
from objectives.data.wording import percent_points, some

FEWEST = 30  # images of a class: with nine of ten right, +-11 points
RIGHT = 0.9  # the share of right answers that half-widths are computed for
Z = 1.959964  # the normal distribution's 97.5 % point


def check_sizes(evidence: Evidence) -> Iterator[Problem]:
    """C10: a class with too few held-out images to measure how well it is recognised."""
    few = [
        (count[label], label, split)
        for split, count in evidence.held_out.items()
        for label in evidence.classes
        if count[label] < FEWEST
    ]
    if few:
        counts = [
            f"{label} has {images} in {split} ({percent_points(half_width(images))})"
            for images, label, split in sorted(few)
        ]
        yield Problem(
            rule="C10",
            level="warn",
            message=(
                f"fewer than {FEWEST} images of a class: {some(counts)}; in brackets the 95 % "
                "half-width of a recall of 90 %; add images of these classes, or judge them "
                "together over several seeds or folds"
            ),
        )


def tell_resolution(evidence: Evidence) -> Iterator[Problem]:
    """S01: the half-widths under which differences are noise."""
    widths = []
    for split, count in evidence.held_out.items():
        rarest = min(evidence.classes, key=lambda label: count[label])
        overall = percent_points(half_width(count.total()))
        widths.append(
            f"{split} {overall} overall, {percent_points(half_width(count[rarest]))} on {rarest}"
        )
    if widths:
        yield Problem(
            rule="S01",
            level="info",
            message=(
                f"differences smaller than these are noise: {'; '.join(widths)} (95 % half-widths "
                "of an accuracy of 90 %, for independent images)"
            ),
        )


def half_width(images: int, right: float = RIGHT) -> float:
    """Compute half the width of a share's 95 % interval (Wilson 1927); 0.5 without any image.

    right: the share.
    """
    if not images:
        return 0.5
    spread = math.sqrt(right * (1 - right) / images + Z**2 / (4 * images**2))
    return Z * spread / (1 + Z**2 / images)
