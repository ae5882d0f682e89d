"""The login in a browser: by the form, and by a link of another site."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboards.door.attackers import VIEWER
from tests.dashboards.door.conftest import TOKENS

Served = Callable[..., str]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of Chromium, without the cookies of another one."""
    with browser.new_context() as context:
        yield context.new_page()


@pytest.fixture
def elsewhere() -> Iterator[Callable[[str], str]]:
    """Serve HTML on another site, for a browser: localhost is not 127.0.0.1."""
    html = ""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    def show(content: str) -> str:
        nonlocal html
        html = content
        return f"http://localhost:{server.server_port}/"

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield show
        server.shutdown()
        thread.join()


@pytest.mark.slow
def test_a_person_logs_in_comes_back_by_a_link_and_logs_out(
    served: Served, page: Page, elsewhere: Callable[[str], str]
) -> None:
    address = served(tokens=TOKENS)
    errors: list[str] = []
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)

    page.goto(f"{address}/s/toy?metric=val_auc")
    page.get_by_label("Token").fill(VIEWER)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{address}/s/toy?metric=val_auc")
    expect(page.locator("body")).to_contain_text('"role":"viewer"')

    page.goto(elsewhere(f"<a href='{address}/s/toy?align=epoch'>look</a>"))
    page.get_by_role("link", name="look").click()
    expect(page.locator("body")).to_contain_text('"role":"viewer"')
    expect(page).to_have_url(f"{address}/s/toy?align=epoch")

    page.goto(f"{address}/logout")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Token")).to_be_focused()
    assert [line for line in errors if "Security Policy" in line] == []


@pytest.mark.slow
def test_a_foreign_page_in_the_same_browser_reads_and_changes_nothing(
    served: Served, page: Page, elsewhere: Callable[[str], str]
) -> None:
    address = served()
    answers: list[tuple[str, int]] = []
    asked: dict[str, str] = {}
    page.on("response", lambda it: answers.append((it.url.removeprefix(address), it.status)))
    page.on("request", lambda it: asked.update({it.url.removeprefix(address): ""}))
    page.on("requestfailed", lambda it: asked.update({it.url.removeprefix(address): it.failure}))

    page.goto(
        elsewhere(
            f"""<img src="{address}/s/toy"><iframe src="{address}/api/studies"></iframe>
            <script src="{address}/s/toy?script"></script>
            <form method="post" action="{address}/s/toy/actions/stop"></form>
            <script>
              fetch("{address}/s/toy?fetch", {{mode: "no-cors"}}).catch(() => 0)
                .then(() => document.forms[0].submit())
            </script>"""
        )
    )
    page.wait_for_url(f"{address}/s/toy/actions/stop")

    ours = [status for path, status in answers if path.startswith("/")]
    assert (len(ours) >= 2, set(ours)) == (True, {403})  # the others are kept from the browser
    assert asked.keys() >= {"/s/toy", "/api/studies", "/s/toy?script", "/s/toy?fetch"}
    assert "ERR_BLOCKED_BY_RESPONSE" in asked["/s/toy?fetch"]
