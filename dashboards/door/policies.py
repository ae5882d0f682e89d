"""The headers of each path's answers: where its content may come from, and whether it is kept."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders


def _policy(rules: Mapping[str, str]) -> str:
    return "; ".join(f"{rule} {source}".strip() for rule, source in rules.items())


CLOSED = {"base-uri": "'none'", "frame-ancestors": "'none'"}
# No word of ours or of a study's can run: every script and style is a file of this server.
PAGES = _policy(
    {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "form-action": "'self'",
        **CLOSED,
    }
)
OPTUNA = _policy(
    {
        "default-src": "'self'",
        "img-src": "'self' data: blob:",
        "style-src": "'self' 'unsafe-inline'",
        "script-src": "'self' 'unsafe-eval'",  # plotly's parallel coordinates compile their shaders
        "object-src": "'none'",
        "form-action": "'none'",
        **CLOSED,
    }
)
ARTIFACTS = _policy({"sandbox": "", "default-src": "'none'", **CLOSED})
# A report brings a policy with the nonce of its own scripts, and this one holds beside it; without
# one of its own it is a page like the others.
REPORTS = _policy(
    {"object-src": "'none'", "connect-src": "'none'", "form-action": "'none'", **CLOSED}
)
ON_EVERY_ANSWER = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
NEVER_KEPT = "no-store"  # nothing of a study lies in a browser's files
ASKED_AGAIN = "no-cache"  # a file of ours: its digest is compared before it is used again


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The headers of the answers to some paths.

    paths: a pattern of whole paths; the first row of POLICIES that fits counts.
    content: the Content-Security-Policy.
    own: whether the answer may have a further one of its own.
    cache: the Cache-Control; the answer's own counts for files that may be kept.
    """

    paths: re.Pattern[str]
    content: str
    own: bool = False
    cache: str = NEVER_KEPT


POLICIES = (
    Policy(paths=re.compile(r"/s/[^/]+/report"), content=REPORTS, own=True),
    Policy(paths=re.compile(r"/live/.+|/login\.css"), content=PAGES, cache=ASKED_AGAIN),
    Policy(
        paths=re.compile(r"/(dashboard/)?static/.+|/favicon\.ico"),
        content=OPTUNA,
        cache=ASKED_AGAIN,
    ),
    Policy(paths=re.compile(r"/artifacts/.*", re.DOTALL), content=ARTIFACTS),
    Policy(
        paths=re.compile(r"/(dashboard(/.*)?|api/.*|csv/.*|incompatible-rdb-schema)", re.DOTALL),
        content=OPTUNA,
    ),
    Policy(paths=re.compile(r".*", re.DOTALL), content=PAGES),
)


def policy_of(path: str) -> Policy:
    """Return the row of the table for a path."""
    return next(each for each in POLICIES if each.paths.fullmatch(path))


def secure(headers: MutableHeaders, path: str) -> None:
    """Set the headers of an answer."""
    policy = policy_of(path)
    own = headers.get("content-security-policy")
    headers.update(ON_EVERY_ANSWER)
    headers["Content-Security-Policy"] = policy.content if not policy.own or own else PAGES
    if policy.own and own:
        headers.append("Content-Security-Policy", own)
    if policy.cache == NEVER_KEPT or "cache-control" not in headers:
        headers["Cache-Control"] = policy.cache
    # optuna-dashboard opens artifacts to every web page.
    del headers["Access-Control-Allow-Origin"]
    if policy.content == ARTIFACTS:
        _defuse(headers)


def _defuse(headers: MutableHeaders) -> None:
    """Let a browser show a kept file as text or save it, and nothing else."""
    if headers.get("content-type", "").startswith("text/"):  # a traceback opens in the browser
        headers["content-type"] = "text/plain; charset=utf-8"
    else:
        headers["content-disposition"] = "attachment"
