"""Who sends a request, and what he may do."""

import pwd
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The rights of a visitor."""

    VIEWER = "viewer"  # read every page
    WRITER = "writer"  # also stop studies and trials, and add trials


@dataclass(frozen=True)
class Visitor:
    """Who sends a request.

    role: his rights.
    name: of him in the log.
    session: the key of his session; confirmations are made for it.
    """

    role: Role
    name: str
    session: str


def user_name(uid: int) -> str:
    """Return a user's name, or the number of one that this machine does not list."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
