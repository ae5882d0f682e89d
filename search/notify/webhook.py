"""The address to which a run's messages go, as SEARCH_WEBHOOK or a file says."""

import re
import stat
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from search.errors import UsageError
from search.settings import Settings

WORD = re.compile(r"[!-~]+")  # what a request can carry; Python's errors would quote another one
HTTPS_FIX = "set it to https://..., or to http:// of this machine (127.0.0.1)"


@dataclass(frozen=True)
class Webhook:
    """An address that takes messages. Both fields are secret and in no log.

    secret: signs each message; "" for a receiver that checks no signature.
    """

    url: str = field(repr=False)
    secret: str = field(default="", repr=False)

    @property
    def host(self) -> str:
        """The host and port, which may be shown."""
        return _shown(urlsplit(self.url))


def read_webhook(settings: Settings) -> Webhook | None:
    """Read the address; None where none is set, UsageError for one that cannot be used."""
    if settings.webhook and settings.webhook_file:
        raise UsageError("SEARCH_WEBHOOK and SEARCH_WEBHOOK_FILE are both set", "unset one")
    if settings.webhook_file:
        url, secret = _in_file(settings.webhook_file)
        return Webhook(_checked(url, "SEARCH_WEBHOOK_FILE"), secret)
    if settings.webhook:
        secret = settings.webhook_secret or ""
        if not _is_utf8(secret):
            raise UsageError("SEARCH_WEBHOOK_SECRET is no text in UTF-8", "choose another secret")
        return Webhook(_checked(settings.webhook, "SEARCH_WEBHOOK"), secret)
    if settings.webhook_secret:
        raise UsageError("SEARCH_WEBHOOK_SECRET is set without an address", "set SEARCH_WEBHOOK")
    return None


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _in_file(path: Path) -> tuple[str, str]:
    """Read address and secret: two lines, in this order or named `url:` and `secret:`."""
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        fix = "set SEARCH_WEBHOOK_FILE to a file with the address and the secret, a line each"
        raise UsageError(f"{path} cannot be read: {reason}", fix) from error
    if stat.S_IMODE(mode) & 0o077:
        raise UsageError(f"other users may open {path}", f"chmod 600 {path}")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    named = dict(zip(("url", "secret"), lines, strict=False))
    for line in lines:
        name, colon, value = line.partition(":")
        if colon and name in ("url", "secret"):
            named[name] = value.strip()
    if not 1 <= len(lines) <= 2 or named["url"].startswith("secret:"):
        raise UsageError(f"{path} has no address and secret", "write them into it, a line each")
    return named["url"], named.get("secret", "").removeprefix("url:")


def _checked(url: str, name: str) -> str:
    """Return an address that may be used. An error shows only its host: a path may be a secret."""
    try:
        parts = urlsplit(url)
        shown = _shown(parts)
    except ValueError:
        raise UsageError(f"{name} is no address", HTTPS_FIX) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not WORD.fullmatch(url):
        raise UsageError(f"{name} is no address of the web", HTTPS_FIX)
    if parts.username is not None:
        raise UsageError(f"{name} has a user before {shown}", "leave it out; the secret signs")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise UsageError(f"{name} is http://{shown}, open to everybody on the way", HTTPS_FIX)
    return url


def _shown(parts: SplitResult) -> str:
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.hostname}{port}"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
