"""A token lets its owner in, with the rights of its role, and nobody else."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from dashboards.door.failures import FREE
from dashboards.door.tokens import parse_tokens
from tests.dashboards.door.attackers import VIEWER, WRITER, log_in, own
from tests.dashboards.door.conftest import TOKENS

Served = Callable[..., str]
BROWSER = {"Accept": "text/html,*/*"}


def bearer(token: str) -> dict[str, str]:
    """The headers of a program that sends a token."""
    return {"Authorization": f"Bearer {token}"}


def test_without_a_token_a_person_is_led_to_the_form_and_a_program_told_the_header(
    asked: httpx.Client,
) -> None:
    person = asked.get("/s/toy?metric=val_auc", headers=BROWSER)
    program = asked.get("/s/toy")

    assert (person.status_code, person.headers["location"]) == (
        303,
        "/login?next=/s/toy%3Fmetric%3Dval_auc",
    )
    form = asked.get(person.headers["location"])
    assert 'name="next" value="/s/toy?metric=val_auc"' in form.text
    assert asked.get("/login.css").headers["content-type"].startswith("text/css")
    assert (program.status_code, program.headers["www-authenticate"]) == (401, "Bearer")


def test_a_login_opens_the_pages_with_a_cookie_that_no_script_and_no_other_site_can_use(
    asked: httpx.Client,
) -> None:
    answer = log_in(asked, VIEWER, "/s/toy")
    cookie = answer.headers["set-cookie"].lower()

    assert (answer.status_code, answer.headers["location"]) == (303, "/s/toy")
    assert all(
        word in cookie for word in ("httponly", "samesite=strict", "path=/", "max-age=43200")
    )
    assert asked.get("/s/toy").json()["role"] == "viewer"
    assert asked.get("/s/toy").json()["visitor"] == f"viewer at 127.0.0.1 ({user()})"


def user() -> str:
    """The name of the user who runs the tests."""
    return Path("/proc/self").owner()


def test_a_logout_ends_the_session_for_every_copy_of_its_cookie(asked: httpx.Client) -> None:
    log_in(asked, VIEWER)
    copy = dict(asked.cookies)
    assert asked.get("/").status_code == 200
    assert 'method="post" action="/logout"' in asked.get("/logout").text

    answer = asked.post("/logout", headers=own(asked))

    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert not asked.cookies
    assert httpx.get(asked.base_url, cookies=copy).status_code == 401


def test_a_session_outlives_a_restart_but_not_a_change_of_its_token(
    served: Served, tmp_path: Path
) -> None:
    first, again, changed = (
        served(tokens=tokens, home=tmp_path)
        for tokens in (TOKENS, TOKENS, parse_tokens(f"viewer: {WRITER}", "test"))
    )
    with httpx.Client(base_url=first) as client:
        log_in(client, VIEWER)
        (value,) = dict(client.cookies).values()

    def status(address: str) -> int:
        name = f"search-{address.rpartition(':')[2]}"
        return httpx.get(address, cookies={name: value}).status_code

    assert (status(first), status(again), status(changed)) == (200, 200, 401)


@pytest.mark.parametrize(
    "goal",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/%0d%0aSet-Cookie:x=y",
        "/\r\nLocation: https://evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/\t/evil.example",
        "",
    ],
    ids=["https", "slashes", "backslash", "coded", "lines", "script", "word", "tab", "none"],
)
def test_a_login_leads_to_no_other_site(asked: httpx.Client, goal: str) -> None:
    answer = log_in(asked, VIEWER, goal)

    assert answer.headers["location"] in ("/", goal.replace("%0d%0a", "%0d%0a"))
    assert answer.headers["location"].startswith("/")
    assert "evil" not in answer.headers["location"]
    assert list(asked.cookies) == [f"search-{asked.base_url.port}"]
    assert "evil" not in asked.get(f"/login?next={quote(goal)}").text


def test_a_program_sends_its_token_in_a_header(asked: httpx.Client) -> None:
    assert asked.get("/", headers=bearer(VIEWER)).json()["role"] == "viewer"
    assert asked.get("/", headers=bearer(WRITER)).json()["role"] == "writer"
    assert asked.get("/", headers={"Authorization": f"Basic {WRITER}"}).status_code == 401
    assert asked.get(f"/?token={WRITER}").status_code == 401


@pytest.mark.parametrize("by", ["form", "header"])
def test_guessing_is_slowed_down_and_the_right_token_waits_too(
    asked: httpx.Client, by: str
) -> None:
    def guess(token: str) -> httpx.Response:
        return log_in(asked, token) if by == "form" else asked.get("/", headers=bearer(token))

    wrong = [guess(f"a-wrong-token-{n}").status_code for n in range(FREE)]
    late = guess(WRITER)

    assert set(wrong) == {403 if by == "form" else 401}
    assert (late.status_code, int(late.headers["retry-after"])) == (429, 1)


def test_guessing_does_not_touch_those_who_are_in(asked: httpx.Client) -> None:
    log_in(asked, VIEWER)
    for n in range(2 * FREE):
        httpx.get(asked.base_url, headers=bearer(f"a-wrong-token-{n}"))

    assert asked.get("/").status_code == 200


def test_a_form_larger_than_any_token_is_refused(asked: httpx.Client) -> None:
    assert log_in(asked, "x" * 100_000).status_code == 413


def test_a_viewer_reads_and_only_a_confirmed_writer_acts(asked: httpx.Client) -> None:
    def act(word: str) -> httpx.Response:
        form = {"csrf": word, "trial": "3"}
        return asked.post("/s/toy/actions/stop", data=form, headers=own(asked))

    log_in(asked, VIEWER)
    word = asked.get("/").json()["csrf"]
    assert act(word).status_code == 403
    log_in(asked, WRITER)
    assert act(word).status_code == 403  # of the session before
    assert act("").status_code == 403
    done = act(asked.get("/").json()["csrf"]).json()

    assert done["done"] == {"trial": "3"}
    assert done["by"].startswith("writer at 127.0.0.1")


def test_a_link_from_another_site_finds_the_session(asked: httpx.Client) -> None:
    """Without its Strict cookie the browser gets a page of ours that asks again."""
    link = {
        **BROWSER,
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Dest": "document",
    }
    answer = asked.get("/s/toy?a=1&b=2", headers=link)

    assert answer.status_code == 200
    assert 'content="0; url=/s/toy?a=1&amp;b=2"' in answer.text
    assert asked.get("//evil.example/", headers=link).text.count("evil") == 0
