"""A finding: the report of a broken rule."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """A broken rule.

    rule: its id, which never changes.
    message: one line that ends with the fix.
    """

    rule: str
    level: Literal["error", "warn"]
    message: str
