"""Requests that a foreign page or a crooked program sends are refused, whoever sends them."""

from collections.abc import Callable

import httpx
import pytest

from tests.dashboards.door.attackers import own, port_of, request, sent

Served = Callable[..., str]
LINK = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


def status(client: httpx.Client, *headers: str, path: str = "/", method: str = "GET") -> int:
    """The status of the answer to a request with exactly these headers."""
    return int(sent(str(client.base_url), request(path, method, *headers)).split()[1])


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.nip.io",
        "127.0.0.1@evil.example",
        "127.0.0.1:8080.evil.example",
        "127.0.0.1:8080:80",
        "",
        "127.0.0.1/",
        "[::ffff:127.0.0.1]",
        "localhost.",
        "0.0.0.0",
        "[::1]]",
    ],
)
def test_a_host_name_that_is_not_ours_is_refused(local: httpx.Client, host: str) -> None:
    assert status(local, f"Host: {host}") == 400


@pytest.mark.parametrize("host", ["127.0.0.1", "LOCALHOST", "localhost:9999", "[::1]:8080"])
def test_our_own_names_are_answered_at_any_port(local: httpx.Client, host: str) -> None:
    """A port that ssh forwards is another one."""
    assert status(local, f"Host: {host}") == 200


def test_a_further_name_is_answered_once_it_is_allowed(served: Served) -> None:
    address = served(names=frozenset({"GPU-box.example"}))
    with httpx.Client(base_url=address) as client:
        assert status(client, "Host: gpu-box.example:443") == 200
        refused = client.get("/", headers={"Host": "evil.example"})
    assert refused.json()["reason"].endswith("start it with --allow-host evil.example")


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("Host", "127.0.0.1", "evil.example"),
        ("Host", "evil.example", "127.0.0.1"),
        ("Origin", "{own}", "http://evil.example"),
        ("Sec-Fetch-Site", "same-origin", "cross-site"),
        ("Authorization", "Bearer a", "Bearer b"),
        ("Content-Length", "0", "5"),
    ],
    ids=["ours first", "ours last", "Origin", "Site", "Authorization", "Length"],
)
def test_a_header_that_is_sent_twice_is_refused(
    local: httpx.Client, name: str, first: str, second: str
) -> None:
    one = first.format(own=own(local)["Origin"])
    host = () if name == "Host" else (f"Host: {local.base_url.netloc.decode()}",)
    assert status(local, *host, f"{name}: {one}", f"{name}: {second}") == 400


@pytest.mark.parametrize(
    ("origin", "site", "expected"),
    [
        (None, None, 200),
        (None, "same-origin", 200),
        (None, "none", 200),
        ("own", "same-origin", 200),
        ("null", None, 403),
        ("http://evil.example", None, 403),
        ("http://127.0.0.1:1", None, 403),
        ("http://localhost", None, 403),
        (None, "cross-site", 403),
        (None, "same-site", 403),
        (None, "anything", 403),
    ],
)
def test_other_pages_read_nothing(
    local: httpx.Client, origin: str | None, site: str | None, expected: int
) -> None:
    headers = {
        **({"Origin": own(local)["Origin"] if origin == "own" else origin} if origin else {}),
        **({"Sec-Fetch-Site": site} if site else {}),
    }
    assert local.get("/api/studies", headers=headers).status_code == expected


def test_a_link_of_another_site_opens_a_page_and_nothing_but_a_page(local: httpx.Client) -> None:
    link = LINK | {"Sec-Fetch-Site": "cross-site"}

    assert local.get("/s/toy", headers=link).status_code == 200
    assert local.get("/s/toy", headers=link | {"Sec-Fetch-Dest": "iframe"}).status_code == 403
    assert local.get("/s/toy", headers=link | {"Sec-Fetch-Mode": "no-cors"}).status_code == 403
    assert local.head("/s/toy", headers=link).status_code == 403


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_nothing_but_an_action_of_ours_is_written(local: httpx.Client, method: str) -> None:
    headers = own(local) | {"X-HTTP-Method-Override": "GET"}
    for path in ("/api/studies", "/", "/s/toy", "/s/toy/actions", "/dashboard", "/live/live.js"):
        assert local.request(method, path, headers=headers).status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/s/toy/actions/../../../api/studies",
        "/s/toy/actions/%2e%2e/x",
        "/s/toy/actions/./stop",
        "/s/a/b/actions/stop",
        "/s//actions/stop",
        "/x/s/toy/actions/stop",
        "/s/toy/actions//",
        "//s/toy/actions/stop",
        "/s/toy/actions/..",
    ],
)
def test_no_spelling_leads_from_an_action_to_another_path(local: httpx.Client, path: str) -> None:
    headers = [f"{name}: {value}" for name, value in own(local).items()]
    host = f"Host: {local.base_url.netloc.decode()}"
    assert status(local, host, *headers, path=path, method="POST") == 405


@pytest.mark.parametrize(
    "change",
    [
        {"Origin": None},
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", **LINK},
    ],
    ids=["no origin", "null", "evil", "cross-site", "same-site", "none", "navigation"],
)
def test_an_action_is_taken_from_our_own_page_alone(
    local: httpx.Client, change: dict[str, str | None]
) -> None:
    form = {"csrf": local.get("/").json()["csrf"]}
    changed = own(local) | change
    headers = {name: value for name, value in changed.items() if value is not None}

    post = local.post
    assert post("/s/toy/actions/stop", data=form, headers=headers).status_code == 403
    assert post("/s/toy/actions/stop", data=form, headers=own(local)).status_code == 200


def test_an_action_without_the_word_of_its_page_is_refused(local: httpx.Client) -> None:
    for form in ({}, {"csrf": ""}, {"csrf": "made.up.word"}):
        answer = local.post("/s/toy/actions/stop", data=form, headers=own(local))
        assert answer.status_code == 403


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
        ["Transfer-Encoding: xchunked"],
        ["Content-Length: +5"],
        ["Content-Length : 5"],
        ["X: a\r\n folded"],
        ["X: a\nHost: evil.example"],
    ],
    ids=["both", "two", "odd", "plus", "blank", "folded", "line feed"],
)
def test_a_request_that_two_programs_read_differently_hides_no_second_one(
    local: httpx.Client, lines: list[str]
) -> None:
    host = f"Host: {local.base_url.netloc.decode()}"
    hidden = request("/s/toy", "GET", host)
    message = "\r\n".join(["POST /api/studies HTTP/1.1", host, *lines, "", "0", "", ""]).encode()

    answer = sent(str(local.base_url), message + hidden)

    assert answer.split()[1] in (b"400", b"405", b"501")
    assert b'"role"' not in answer


def test_headers_of_a_proxy_count_for_nothing_without_one(local: httpx.Client) -> None:
    forwarded = {
        "X-Forwarded-For": "10.9.9.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
    }
    assert local.get("/", headers=forwarded).status_code == 200
    https = f"https://127.0.0.1:{port_of(str(local.base_url))}"
    assert local.get("/", headers=forwarded | {"Origin": https}).status_code == 403


@pytest.mark.parametrize("path", ["/../etc/passwd", "/%2e%2e/", "/live/..%2f..%2fserve.py"])
def test_no_path_leads_out_of_the_pages(local: httpx.Client, path: str) -> None:
    host = f"Host: {local.base_url.netloc.decode()}"
    assert status(local, host, path=path) == 404


@pytest.mark.parametrize("path", ["/%00", "/s/%00/trials", "/s/toy%0aforged", "/s/a%1b%5b2J"])
def test_a_path_that_cannot_be_printed_reaches_neither_database_nor_log(
    local: httpx.Client, path: str
) -> None:
    refused = local.get(path)

    assert refused.status_code == 400
    assert "characters that cannot be printed" in refused.json()["reason"]
