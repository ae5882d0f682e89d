"""C05, C06, C07 and C12: the image files themselves."""

from collections import Counter
from collections.abc import Callable, Iterator

from objectives.data.checks.evidence import Evidence
from objectives.data.checks.wording import are, counted, some
from objectives.data.pixels.facts import Facts
from objectives.data.pixels.limits import MOST_PIXELS
from objectives.data.problems import Problem


def check_readable(evidence: Evidence) -> Iterator[Problem]:
    """C05: an image that cannot be read and would stop training in the middle of a run."""
    broken = _paths_where(evidence, lambda facts: bool(facts.error))
    if broken:
        reason = evidence.facts[broken[0]].error.removeprefix(f"{broken[0]}: ")
        yield Problem(
            rule="C05",
            level="error",
            message=(
                f"{counted(len(broken), 'image')} cannot be read, {broken[0]} for example "
                f"({reason}); fetch them again or remove them, or let --fix leave them out"
            ),
            paths=broken,
            can_fix=True,
        )


def check_depth(evidence: Evidence) -> Iterator[Problem]:
    """C06: more than eight bits a channel, which other readers clip and we scale."""
    deep = _paths_where(evidence, lambda facts: facts.bits > 8 and not facts.error)
    if deep:
        yield Problem(
            rule="C06",
            level="error",
            message=(
                f"{counted(len(deep), 'image')} of {len(evidence.rows):,} have 16 bits "
                f"({some(deep)}): they are scaled by 1/257 to 8, never clipped, so that a narrow "
                "range of values turns nearly black; save them as 8 bits with the window you "
                "want, or go on with --skip-check C06"
            ),
            paths=deep,
        )


def check_modes(evidence: Evidence) -> Iterator[Problem]:
    """C07: images whose mode differs from most, and images that Exif turns."""
    ordinary = [
        row.path
        for row in evidence.readable
        if evidence.facts[row.path].bits == 8 and not evidence.facts[row.path].is_huge
    ]
    modes = Counter(evidence.facts[path].mode for path in ordinary)
    turned = [path for path in ordinary if evidence.facts[path].is_turned]
    if len(modes) < 2 and not turned:
        return
    usual = modes.most_common(1)[0][0]
    odd = [path for path in ordinary if evidence.facts[path].mode != usual]
    counts = ", ".join(f"{count:,} {mode}" for mode, count in modes.most_common())
    found = [counts] if odd else []
    found += [f"{len(turned):,} turned by Exif"] if turned else []
    paths = tuple(dict.fromkeys([*odd, *turned]))
    yield Problem(
        rule="C07",
        level="warn",
        message=(
            f"the images are of several modes: {', '.join(found)} ({some(paths)}); all are read "
            "upright as RGB, transparent ones on white: see that no mode goes with one class"
        ),
        paths=paths,
    )


def check_size(evidence: Evidence) -> Iterator[Problem]:
    """C12: an image too large to decode as a whole."""
    huge = _paths_where(evidence, lambda facts: facts.is_huge)
    if huge:
        facts = evidence.facts[huge[0]]
        yield Problem(
            rule="C12",
            level="error",
            message=(
                f"{counted(len(huge), 'image')} {are(len(huge))} over {MOST_PIXELS // 10**6} "
                f"megapixels, {huge[0]} for example {facts.width:,} x {facts.height:,}; cut them "
                "into tiles, or let --fix leave them out"
            ),
            paths=huge,
            can_fix=True,
        )


def _paths_where(evidence: Evidence, is_so: Callable[[Facts], bool]) -> tuple[str, ...]:
    return tuple(row.path for row in evidence.rows if is_so(evidence.facts[row.path]))
