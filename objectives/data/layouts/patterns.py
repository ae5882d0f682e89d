"""The regular expressions of a study that find a label or a group in a text."""

import re
from collections.abc import Mapping
from typing import Any

from objectives.contract import DataError
from objectives.data.alike import spelled

# The patterns that each kind of layout declares.
_PATTERNS = {
    "file_names": ("label", "group"),
    "class_folders": ("group",),
    "table": ("label_pattern", "group_pattern"),
}


def check_patterns(layout: Mapping[str, Any]) -> None:
    """Raise DataError for the first pattern of a layout that is not one."""
    for name in _PATTERNS.get(layout["kind"], ()):
        if layout.get(name):
            compile_pattern(layout[name], name.removesuffix("_pattern"))


def compile_pattern(expression: str, purpose: str) -> re.Pattern[str]:
    """Compile a regular expression with exactly one group; DataError for any other.

    purpose: the word for the group in messages, "label" or "group".
    """
    try:
        pattern = re.compile(expression)
    except re.error as error:
        raise DataError(
            f"the {purpose} pattern {spelled(expression)} is not a regular expression: {error}",
            fix="correct it",
        ) from error
    if pattern.groups != 1:
        raise DataError(
            f"the {purpose} pattern {spelled(expression)} has {pattern.groups} groups in"
            " parentheses",
            fix=f"give it exactly one, around the {purpose}",
        )
    return pattern


def match_pattern(pattern: re.Pattern[str], text: str) -> str:
    """Return the text that the pattern's group matched, "" where it matched none.

    The group of `(p\\d+)?` takes part in no match of "x", and that of `(.*)` matches no character:
    both are texts without a label or group, like one that the whole pattern does not fit.
    """
    found = pattern.search(text)
    return (found.group(1) or "") if found else ""
