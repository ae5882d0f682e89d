"""What can be wrong with data, under the stable ids of the documentation (C01 to C16, S01)."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing found in the data; `message` says what and where, and ends with the fix.

    paths: the images concerned, or some of them. can_fix: whether `search check --fix` can mend it
    by another split, images left as they are.
    """

    rule: str
    level: Literal["error", "warn", "info"]
    message: str
    paths: tuple[str, ...] = ()
    can_fix: bool = False
