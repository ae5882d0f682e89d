"""C05, C06, C07, C12 and C20: the image files themselves."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from objectives.data.checks.evidence import Evidence
from objectives.data.pixels.facts import Facts
from objectives.data.pixels.limits import MOST_PIXELS
from objectives.data.pixels.pages import has_page
from objectives.data.pixels.unfit import REPLACE
from objectives.data.problems import Problem
from objectives.data.wording import are, counted, have, holds, listed, some

FETCH = "fetch them again or remove them"
LEAST_SIDE = 8  # pixels; scikit-learn's digits have as many
MOST_STRETCHED = 50  # long side by short side; a strip of an ECG is under 30


def check_readable(evidence: Evidence) -> Iterator[Problem]:
    """C05: an image that cannot be read and would stop training in the middle of a run."""
    by_fix: defaultdict[str, list[str]] = defaultdict(list)
    for path in _paths_where(evidence, lambda facts: bool(facts.error)):
        fix = evidence.facts[path].fix
        by_fix[FETCH if fix in ("", REPLACE) else fix].append(path)
    for fix, broken in by_fix.items():
        reason = evidence.facts[broken[0]].error.removeprefix(f"{broken[0]}: ")
        yield Problem(
            rule="C05",
            level="error",
            message=(
                f"{counted(len(broken), 'image')} cannot be read, {broken[0]} for example "
                f"({reason}); {fix}, or let --fix leave them out"
            ),
            paths=tuple(broken),
            can_fix=True,
        )


def check_depth(evidence: Evidence) -> Iterator[Problem]:
    """C06: more than eight bits a channel, which other readers clip and we scale."""
    deep = _paths_where(evidence, lambda facts: facts.bits > 8 and not facts.error)
    if deep:
        depths = listed(str(evidence.facts[path].bits) for path in deep)
        yield Problem(
            rule="C06",
            level="error",
            message=(
                f"{counted(len(deep), 'image')} of {len(evidence.rows):,} {have(len(deep))} "
                f"{depths} bits ({some(deep)}): the whole range of {depths} bits is scaled to 8 "
                "and never clipped: a narrow range of values turns nearly black; start `search "
                "run` with --skip-check C06 if that is what you want, or save them as 8 bits with "
                "the window you want"
            ),
            paths=deep,
        )


def check_pages(evidence: Evidence) -> Iterator[Problem]:
    """C20: files of several pages or frames, of which one at most can be the image."""
    page = evidence.source.layout.get("page")
    paths = _paths_where(
        evidence, lambda facts: not facts.error and not has_page(page, facts.pages)
    )
    if not paths:
        return
    pages = counted(evidence.facts[paths[0]].pages, "page")
    images = f"{counted(len(paths), 'image')} of {len(evidence.rows):,}"
    if page is None:
        message = (
            f"{images} {holds(len(paths))} several pages or frames, {paths[0]} for example "
            f"{pages}; say in the study's data declaration which one you mean, as in page=1 for "
            "the first, or save each page as a file"
        )
    else:
        lacks = "lacks" if len(paths) == 1 else "lack"
        message = (
            f"{images} {lacks} page {page}, which the study declares, {paths[0]} for example has "
            f"{pages}; correct page in the study's data declaration, or remove these files"
        )
    yield Problem(rule="C20", level="error", message=message, paths=paths)


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


def check_background(evidence: Evidence) -> Iterator[Problem]:
    """C07: volumes whose air and skull count as brain, since no one value surrounds it."""
    bare = _paths_where(evidence, lambda facts: not facts.error and not facts.has_background)
    if bare:
        yield Problem(
            rule="C07",
            level="warn",
            message=(
                f"{counted(len(bare), 'volume')} of {len(evidence.rows):,} {are(len(bare))} not "
                f"surrounded by one value ({some(bare)}): all of it counts as brain; strip the "
                "skull and set the rest to 0, unless it was cut out of the brain on purpose"
            ),
            paths=bare,
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


def check_shape(evidence: Evidence) -> Iterator[Problem]:
    """C12: an image too small or too thin to show anything once it is a square."""
    small = _paths_where(evidence, lambda facts: facts.bits > 0 and _is_too_small(facts))
    if small:
        facts = evidence.facts[small[0]]
        yield Problem(
            rule="C12",
            level="warn",
            message=(
                f"{counted(len(small), 'image')} {are(len(small))} under {LEAST_SIDE} pixels on a "
                f"side or over {MOST_STRETCHED} times as long as wide, {small[0]} for example "
                f"{facts.width:,} x {facts.height:,}: little is left of it in a square; see that "
                "it is an image, else remove it"
            ),
            paths=small,
        )


def _is_too_small(facts: Facts) -> bool:
    short, long = sorted((facts.width, facts.height))
    return not facts.error and (short < LEAST_SIDE or long > MOST_STRETCHED * short)


def _paths_where(evidence: Evidence, is_so: Callable[[Facts], bool]) -> tuple[str, ...]:
    return tuple(row.path for row in evidence.rows if is_so(evidence.facts[row.path]))
