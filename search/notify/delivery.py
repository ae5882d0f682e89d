"""One try to deliver a message: a signed POST."""

import hashlib
import hmac
import time
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from search.notify.webhook import Webhook

TIMEOUT_SECONDS = 10.0
LATER = (408, 425, 429)  # too slow, too early, too many: the only errors of ours to try again


class NotDelivered(Exception):
    """A receiver did not take a message.

    is_final: whether it would refuse it again.
    """

    def __init__(self, reason: str, *, is_final: bool) -> None:
        super().__init__(reason)
        self.is_final = is_final


def deliver(webhook: Webhook, body: bytes) -> None:
    """Send a message once; raise NotDelivered unless the receiver answers with 2xx."""
    headers = {"Content-Type": "application/json", "User-Agent": "search"}
    headers |= _signature(webhook.secret, body) if webhook.secret else {}
    request = Request(webhook.url, data=body, headers=headers, method="POST")
    try:
        build_opener(_NoRedirect).open(request, timeout=TIMEOUT_SECONDS).close()
    except HTTPError as error:
        error.close()
        raise _refusal(error.code) from error
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise NotDelivered(str(reason) or type(error).__name__, is_final=False) from error


def _signature(secret: str, body: bytes) -> dict[str, str]:
    """Sign a message with the time of this try, so that a recorded one is worth nothing later."""
    timestamp = str(int(time.time()))
    signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return {
        "X-Search-Timestamp": timestamp,
        "X-Search-Signature": f"sha256={signed.hexdigest()}",
    }


def _refusal(status: int) -> NotDelivered:
    if 300 <= status < 400:
        return NotDelivered(f"it redirects ({status}), which is not followed", is_final=True)
    return NotDelivered(
        f"it answers {status}", is_final=400 <= status < 500 and status not in LATER
    )


class _NoRedirect(HTTPRedirectHandler):
    """Follows no redirect: a message goes to the address that the user wrote."""

    def redirect_request(self, *_: Any) -> None:
        """Have a redirect raised as an error."""
