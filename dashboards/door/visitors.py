"""Who sends a request, and what he may do."""

import pwd
from dataclasses import dataclass
from enum import StrEnum

from starlette.requests import Request

OWN = "uid "  # begins the session of a user of this machine


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


def shown_visitor(request: Request) -> dict[str, object]:
    """Return what a page says of its visitor: his role, and whether he came in with a token."""
    given = request.scope.get("state", {})
    by_token = not str(given.get("session", OWN)).startswith(OWN)
    return {"role": str(given.get("role", "")), "by_token": by_token}


def user_name(uid: int) -> str:
    """Return a user's name, or the number of one that this machine does not list."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
