"""Sessions: the signed cookie of a visitor who has logged in, and the proof that he meant it."""

import logging
import os
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from itsdangerous import BadData, URLSafeTimedSerializer

from dashboards.door.visitors import Role

SECRET_BYTES = 32
SECONDS = 12 * 3600
MOST_ENDED = 10_000  # sessions that were ended by hand and whose cookies are still fresh

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Session:
    """One login: its name, its role, and the mark of the token that opened it."""

    key: str
    role: Role
    mark: str


class Sessions:
    """Signs the cookies of sessions and their confirmations, and reads them back."""

    def __init__(self, secret: bytes) -> None:
        self._cookies = URLSafeTimedSerializer(secret, salt="session")
        self._confirmations = URLSafeTimedSerializer(secret, salt="confirmation")
        self._ended: OrderedDict[str, float] = OrderedDict()

    def begin(self, role: Role, mark: str) -> str:
        """Return the cookie of a new session."""
        return str(self._cookies.dumps([secrets.token_urlsafe(16), role, mark]))

    def read(self, cookie: str) -> Session | None:
        """Return the session of a cookie; None for a forged, an old or an ended one."""
        try:
            key, role, mark = self._cookies.loads(cookie, max_age=SECONDS)
        except BadData:
            return None
        return None if key in self._ended else Session(key, Role(role), mark)

    def end(self, session: Session) -> None:
        """End a session: a copy of its cookie opens nothing any more in this process."""
        now = time.monotonic()
        while self._ended and next(iter(self._ended.values())) < now - SECONDS:
            self._ended.popitem(last=False)
        self._ended[session.key] = now
        if len(self._ended) > MOST_ENDED:
            self._ended.popitem(last=False)

    def confirmation(self, key: str) -> str:
        """Return the word that a form of this session carries back."""
        return str(self._confirmations.dumps(key))

    def is_confirmed(self, key: str, given: str) -> bool:
        """Say whether a form's word was made for this session and is not too old."""
        try:
            return bool(self._confirmations.loads(given, max_age=SECONDS) == key)
        except BadData:
            return False


def read_secret(home: Path | None) -> bytes:
    """Return the home's secret, a new one where it has none, so that a restart logs nobody out.

    Without a home, or where it takes no file, the secret is this process's alone.
    """
    new = secrets.token_bytes(SECRET_BYTES)
    if home is None:
        return new
    try:
        return _kept(home / "dashboard.key", new)
    except OSError as error:
        log.warning("%s: after a restart, visitors log in again", error)
        return new


def _kept(path: Path, new: bytes) -> bytes:
    """Return the secret that a file holds; without one, write the new one whole."""
    for _ in range(2):
        secret = _secret_of(path)
        if secret is not None:
            return secret
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(new)
        draft.replace(path)
    return new


def _secret_of(path: Path) -> bytes | None:
    """Return a file's secret; None where it is not there, not whole, or others may know it."""
    try:
        with path.open("rb") as file:
            status, secret = os.fstat(file.fileno()), file.read()
    except FileNotFoundError:
        return None
    is_ours = status.st_uid == os.geteuid() and not status.st_mode & 0o077
    return secret if is_ours and len(secret) == SECRET_BYTES else None
