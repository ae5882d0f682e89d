"""The columns that the declaration of a table uses, by name or in patterns."""

import re
from collections.abc import Mapping
from typing import Any

IN_BRACES = re.compile(r"\{([^{}]+)\}")
GLOB = re.compile(r"[*?[]")


def is_column(pattern: str) -> bool:
    """Whether a pattern is simply the name of a column."""
    return not IN_BRACES.search(pattern) and not GLOB.search(pattern)


def is_glob(pattern: str) -> bool:
    """Whether a pattern may match several images of one row."""
    return bool(GLOB.search(pattern))


def columns_of(pattern: str) -> list[str]:
    """Return the columns that a pattern refers to."""
    return [pattern] if is_column(pattern) else IN_BRACES.findall(pattern)


def path_patterns(layout: Mapping[str, Any]) -> list[str]:
    """Return the patterns of the images' paths."""
    declared = layout.get("path") or "image"
    return [declared] if isinstance(declared, str) else list(declared)


def path_columns(layout: Mapping[str, Any]) -> list[str]:
    """Return the columns that paths are made of."""
    return [name for pattern in path_patterns(layout) for name in columns_of(pattern)]


def group_columns(layout: Mapping[str, Any]) -> list[str]:
    """Return the columns that groups are made of."""
    return columns_of(layout["group"]) if layout.get("group") else []


def used_columns(layout: Mapping[str, Any]) -> list[str]:
    """Return every column that the declaration uses, once."""
    single = (layout.get(field) for field in ("label", "site", "split"))
    several = (*(layout.get("one_hot") or ()), *(layout.get("metadata") or {}))
    names = (*path_columns(layout), *single, *several, *group_columns(layout))
    return [name for name in dict.fromkeys(names) if name]
