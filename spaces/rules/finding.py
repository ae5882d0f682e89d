"""What a rule says when it is broken."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Fields = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Finding:
    """One thing found: its stable id, how bad it is, and a message that ends with the fix."""

    rule: str
    level: Literal["error", "warn"]
    message: str
