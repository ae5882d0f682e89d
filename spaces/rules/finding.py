"""What a rule says when it is broken."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One thing found: its stable id, how bad it is, and a message that ends with the fix."""

    rule: str
    level: Literal["error", "warn"]
    message: str
