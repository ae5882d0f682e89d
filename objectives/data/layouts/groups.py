"""The groups that file names and paths give, and groups whose names are equal to the eye."""

import logging
from collections.abc import Mapping, Sequence
from posixpath import basename
from typing import Any

from objectives.contract import DataError
from objectives.data.alike import alike, merged, spelled
from objectives.data.layouts.patterns import compile_pattern
from objectives.data.problems import Problem

log = logging.getLogger(__name__)


def read_groups(
    paths: Sequence[str], layout: Mapping[str, Any]
) -> tuple[list[str], tuple[Problem, ...]]:
    """Read the group of each image from its name, else from its path, and what is wrong with it.

    Without a pattern, every image is its own group. So is an image whose group is empty.

    Raises DataError where the pattern fits some paths only.
    """
    if (expression := layout.get("group")) is None:
        return list(paths), ()
    groups = find_groups(paths, expression)
    if all(group is None for group in groups):
        log.warning("no file name carries a group by %r: each image is its own group", expression)
        return list(paths), ()
    if without := [path for path, group in zip(paths, groups, strict=True) if group is None]:
        raise DataError(
            f"{len(without)} of {len(paths)} files give no group by {expression!r}, for example "
            f"{without[0]!r}",
            fix="correct the group pattern of the study, or these file names",
        )
    given = [group or "" for group in groups]
    if layout.get("merge_alike"):
        given = merged(given)
    problems = (*_empty(given, paths, expression), *alike_groups(given, paths))
    return [group or path for group, path in zip(given, paths, strict=True)], problems


def find_groups(paths: Sequence[str], expression: str) -> list[str | None]:
    """Read the group of each image by a pattern; None where the pattern gives none."""
    pattern = compile_pattern(expression, "group")
    # The name first, since most patterns mean it; the path serves data with a folder per patient.
    # Never both: where a name has no group, a pattern for names may find in its path a folder that
    # several patients share.
    matches = [pattern.search(basename(path)) for path in paths]
    if not any(matches):
        matches = [pattern.search(path) for path in paths]
    return [match.group(1) if match else None for match in matches]


def alike_groups(groups: Sequence[str], paths: Sequence[str]) -> tuple[Problem, ...]:
    """Find the groups whose names a person reads as one (C17).

    groups: of each image or row; "" where it has none.
    paths: of the same images or rows, for the message.
    """
    found = alike(group for group in groups if group)
    if not found:
        return ()
    names = {name for each in found for name in each}
    return (
        Problem(
            rule="C17",
            level="error",
            message=(
                f"the groups {' and '.join(map(spelled, found[0]))} are equal to the eye and would "
                f"be told apart, {len(names)} groups in all, so that one patient may stand in two "
                "splits; give each one name, or say merge_alike=True in the study's data "
                "declaration"
            ),
            paths=tuple(path for path, group in zip(paths, groups, strict=True) if group in names),
        ),
    )


def _empty(groups: Sequence[str], paths: Sequence[str], expression: str) -> tuple[Problem, ...]:
    """Find the images whose group is empty, each of which is a group of its own."""
    alone = tuple(path for path, group in zip(paths, groups, strict=True) if not group)
    if not alone:
        return ()
    return (
        Problem(
            rule="C01",
            level="warn",
            message=(
                f"the group is empty by {expression!r} in {len(alone)} of {len(paths)} file names, "
                f"{alone[0]!r} for example, so that each of these images is its own group; correct "
                "the group pattern of the study, unless each is another patient"
            ),
            paths=alone,
        ),
    )
