"""Who sends a request, and what he may do."""

import pwd
from dataclasses import dataclass
from enum import StrEnum

ROOT = 0


class Role(StrEnum):
    """The rights of a visitor."""

    VIEWER = "viewer"  # read every page
    WRITER = "writer"  # also stop studies and trials, and add trials


@dataclass(frozen=True)
class Visitor:
    """Who sends a request: his role, and his name in the log."""

    role: Role
    name: str


def local_visitor(uid: int | None, own_uid: int) -> Visitor | None:
    """Return the visitor behind a connection of this machine; None for one who may not come in.

    uid: of the connection's other end, None where it is unknown.
    own_uid: of this process; its user writes, and root, who can read every file anyhow, reads.
    """
    if uid is None or uid not in (own_uid, ROOT):
        return None
    return Visitor(Role.WRITER if uid == own_uid else Role.VIEWER, user_name(uid))


def user_name(uid: int) -> str:
    """Return a user's name, or the number of one that this machine does not list."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
