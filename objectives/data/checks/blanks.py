"""C19: images without content."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from objectives.data.checks.evidence import Evidence
from objectives.data.pixels.blanks import Blank
from objectives.data.problems import Problem
from objectives.data.wording import are, counted

MOST_BLANK = 0.1  # of a class; the black slices at the ends of a scan are fewer
FIXES = {
    Blank.HIDDEN: "they are read as white; save them without their alpha channel",
    Blank.WINDOWED: "write another window into the files, leave them out with --fix, or start "
    "`search run` with --skip-check C19 if they are meant to be so",
    Blank.FAINT: "save them as 8 bits with the window you want",
}
OTHER_FIX = "fetch them again or remove them, or let --fix leave them out"


def check_blanks(evidence: Evidence) -> Iterator[Problem]:
    """C19: images whose pixels all have one value as training reads them."""
    by_kind: defaultdict[str, list[str]] = defaultdict(list)
    for row in evidence.readable:
        if blank := evidence.facts[row.path].blank:
            by_kind[blank].append(row.path)
    for kind, paths in by_kind.items():
        yield _problem(evidence, kind, paths)


def _problem(evidence: Evidence, kind: str, paths: Sequence[str]) -> Problem:
    blank = set(paths)
    of_class = Counter(row.label for row in evidence.rows)
    counts = Counter(row.label for row in evidence.rows if row.path in blank)
    by_class = ", ".join(
        f"{count:,} of {of_class[label]:,} {label}" for label, count in sorted(counts.items())
    )
    many = any(
        count == of_class[label] or (count > 1 and count > MOST_BLANK * of_class[label])
        for label, count in counts.items()
    )
    return Problem(
        rule="C19",
        level="error" if many else "warn",
        message=(
            f"{counted(len(paths), 'image')} {are(len(paths))} {kind} ({by_class}), {paths[0]} "
            f"for example; {FIXES.get(Blank(kind), OTHER_FIX)}"
        ),
        paths=tuple(paths),
        can_fix=True,
    )
