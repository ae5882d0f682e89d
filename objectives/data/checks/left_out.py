"""C18: images and rows that are left out, and that the user may miss."""

from collections.abc import Iterator, Sequence

from objectives.data.checks.evidence import Evidence
from objectives.data.left_out import LeftOut
from objectives.data.problems import Problem
from objectives.data.wording import are, counted, counted_phrase, some

MOST = 0.01  # of the images in use; more are no stray files


def check_left_out(evidence: Evidence) -> Iterator[Problem]:
    """C18: many images, or a whole folder or group of them, are left out.

    An error for those in formats that are not read, where images to train on lie; else a warning.
    Those that another rule names are not told twice.
    """
    manifest = evidence.manifest
    told = {path for problem in manifest.problems for path in problem.paths}
    missed = [each for each in manifest.left_out if each.fix and not told.issuperset(each.paths)]
    used = {folder for row in manifest.rows for folder in _folders(row.path)}
    for level, is_meant in (("error", True), ("warn", False)):
        found = [each for each in missed if each.is_meant == is_meant]
        wholes = _wholes(found, used)
        if wholes or sum(len(each.paths) for each in found) > MOST * len(manifest.rows):
            yield _problem(level, found, wholes, len(manifest.rows))


def _folders(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[:depth]) for depth in range(1, len(parts)))


def _wholes(found: Sequence[LeftOut], used: set[str]) -> list[str]:
    """Find the groups and folders of which nothing is used; of a folder, not those within."""
    paths = (path for each in found for path in each.paths)
    tops = (next((each for each in _folders(path) if each not in used), "") for path in paths)
    named = [name for each in found for name in each.wholes]
    return list(dict.fromkeys([*named, *filter(None, tops)]))


def _problem(level: str, found: Sequence[LeftOut], wholes: Sequence[str], used: int) -> Problem:
    reasons = "; ".join(
        f"{counted_phrase(len(each.paths), each.reason)}, {each.paths[0]} for example"
        for each in found
    )
    nothing = f"; nothing is used of {some([repr(name) for name in wholes])}" if wholes else ""
    paths = tuple(path for each in found for path in each.paths)
    return Problem(
        rule="C18",
        level="error" if level == "error" else "warn",
        message=(
            f"beside {counted(used, 'image')} in use, {len(paths):,} {are(len(paths))} left out: "
            f"{reasons}{nothing}; {', and '.join(dict.fromkeys(each.fix for each in found))}"
        ),
        paths=paths,
    )
