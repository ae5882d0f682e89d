"""Every path of the dashboard has a policy, and its answers carry it."""

from contextlib import nullcontext
from pathlib import Path

import httpx
import pytest
from starlette.datastructures import MutableHeaders
from starlette.routing import Mount, Route

from dashboards.app import build_app
from dashboards.door.policies import (
    ARTIFACTS,
    ASKED_AGAIN,
    NEVER_KEPT,
    OPTUNA,
    PAGES,
    REPORTS,
    policy_of,
    secure,
)
from dashboards.live.source import Source
from storage.store import Store

# The paths by their beginning, longest first: a new beginning needs a row here and a thought.
EXPECTED = {
    "/s/{name}/report.json": (PAGES, NEVER_KEPT),
    "/dashboard/static": (OPTUNA, ASKED_AGAIN),
    "/s/{name}/report": (REPORTS, NEVER_KEPT),
    "/artifacts/": (ARTIFACTS, NEVER_KEPT),
    "/studies": (PAGES, NEVER_KEPT),  # the list as JSON, and the stream of its changes
    "/dashboard": (OPTUNA, NEVER_KEPT),
    "/live/": (PAGES, ASKED_AGAIN),
    "/api/": (OPTUNA, NEVER_KEPT),
    "/csv/": (OPTUNA, NEVER_KEPT),
    "/s/": (PAGES, NEVER_KEPT),
}


def paths_of(app_routes: list[object]) -> list[str]:
    """The paths of an application's routes, as they are written."""
    routes = [each for each in app_routes if isinstance(each, Route | Mount)]
    assert len(routes) == len(app_routes)  # no other kind slips past this test
    return [f"{each.path}/{{file}}" if isinstance(each, Mount) else each.path for each in routes]


@pytest.mark.slow
def test_every_route_has_the_policy_of_its_kind(store: Store, tmp_path: Path) -> None:
    source = Source(store, str(tmp_path), tmp_path, lambda: nullcontext(store))
    paths = paths_of([*build_app(source).routes])

    assert len(paths) >= 10
    for path in paths:
        begins = (row for begin, row in EXPECTED.items() if path.startswith(begin))
        expected = (PAGES, NEVER_KEPT) if path == "/" else next(begins, "no row in EXPECTED")
        policy = policy_of(path)
        assert (path, policy.content, policy.cache) == (path, *expected)


def test_our_own_pages_allow_no_inline_script_style_or_foreign_source(
    local: httpx.Client,
) -> None:
    headers = local.get("/s/toy").headers

    rules = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    assert rules.pop("img-src") == "'self' data:"
    assert set(rules.values()) == {"'none'", "'self'"}
    assert rules["default-src"] == rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert headers["cache-control"] == "no-store"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"


def test_a_refusal_is_sealed_as_well(local: httpx.Client) -> None:
    for answer in (
        local.get("/s/toy", headers={"Host": "evil.example"}),
        local.get("/s/toy", headers={"Origin": "http://evil.example"}),
        local.delete("/s/toy"),
        local.get("/s/nothing/here"),
    ):
        assert answer.status_code in (400, 403, 404, 405)
        assert answer.headers["content-security-policy"] == PAGES
        assert answer.headers["cache-control"] == "no-store"


def test_a_reports_own_policy_holds_beside_ours_and_no_other_path_may_have_one(
    local: httpx.Client,
) -> None:
    answer = local.get("/s/toy/report")
    assert answer.headers.get_list("content-security-policy") == [REPORTS, "sandbox allow-scripts"]

    headers = MutableHeaders({"Content-Security-Policy": "default-src *"})
    secure(headers, "/s/toy/reports")
    assert headers.getlist("content-security-policy") == [PAGES]


@pytest.mark.parametrize(
    "path", ["/dashboardx", "/apis", "/s/dashboard", "/s/x/static/y", "//api/x", "/s/a/b/report"]
)
def test_a_path_that_only_looks_like_optunas_has_the_strict_policy(path: str) -> None:
    assert policy_of(path).content == PAGES
    assert policy_of(path).cache == NEVER_KEPT


def test_only_files_of_ours_may_be_kept() -> None:
    own = {"Cache-Control": "public, max-age=31536000, immutable"}
    for path, expected in (("/live/live.js", own["Cache-Control"]), ("/s/toy", "no-store")):
        headers = MutableHeaders(own)
        secure(headers, path)
        assert headers["cache-control"] == expected
