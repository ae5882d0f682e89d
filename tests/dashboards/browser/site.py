"""A dashboard in its own process, and pages of a real browser that note what goes wrong."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, Request

from storage.store import Store

COMMAND = (sys.executable, "-P", "-m", "search.cli", "dashboard", "--port")
# A page says nothing of a violated policy to its own scripts but by this event.
TELL_VIOLATIONS = """addEventListener('securitypolicyviolation', (event) =>
    console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`))"""
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
THEMES = ("light", "dark")
OF_THEME = ("color-contrast", "link-in-text-block")
OF_WIDTH = ("scrollable-region-focusable", "target-size")
# The rules of axe that a size and a theme can break: all at first, then what each changes.
OF_LOOKS = {
    ("desktop", "light"): (),
    ("desktop", "dark"): OF_THEME,
    ("phone", "light"): OF_WIDTH,
    ("phone", "dark"): OF_WIDTH + OF_THEME,
}


@dataclass(kw_only=True)
class Site:
    """A dashboard, the store that it shows, and the browser that looks at it.

    home: the home of the search.
    address: of the dashboard, without a slash at its end.
    """

    store: Store
    home: Path
    url: str
    browser: Browser
    address: str = ""
    process: "subprocess.Popen[str] | None" = None
    windows: list["Window"] = field(default_factory=list)

    @property
    def artifacts(self) -> Path:
        """The location of the artifact store."""
        return self.home / "artifacts"

    def start(self) -> None:
        """Start the dashboard; again on the port that it had."""
        port = self.address.rpartition(":")[2] or "0"
        place = {"SEARCH_HOME": str(self.home), "SEARCH_DATABASE_URL": self.url}
        self.process = subprocess.Popen(
            [*COMMAND, port], env=os.environ | place, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().split()[-1]

    def stop(self) -> None:
        """Kill the dashboard."""
        if self.process:
            self.process.kill()
            self.process.communicate()

    def open(self, path: str, **options: Any) -> "Window":
        """Open a page in a context of its own."""
        context = self.browser.new_context(base_url=self.address, **options)
        context.add_init_script(TELL_VIOLATIONS)
        window = Window(page=context.new_page(), address=self.address)
        self.windows.append(window)
        window.page.goto(path)
        return window


class Window:
    """A page, and what went wrong in it.

    troubles: console errors, uncaught errors, dialogs, violated policies, and requests that left
        the dashboard.
    """

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.troubles, self._address = page, list[str](), address
        page.on("console", lambda line: self._note(line.text, line.type in ("error", "warning")))
        page.on("pageerror", lambda error: self._note(str(error)))
        page.on("dialog", lambda dialog: (self._note(f"dialog {dialog.message}"), dialog.accept()))
        page.on("request", self._check)

    def show(self, size: str, theme: str) -> None:
        """Show the page in another size and theme, without loading it again."""
        width, height = SIZES[size]
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]

    def overhang(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        wide: int = self.page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
        return wide

    def barriers(self, only: Sequence[str] = ()) -> list[str]:
        """Return what axe finds: each rule that is broken, where, and why.

        only: the rules to check; all without one.
        """
        options = {"resultTypes": ["violations"], **({"runOnly": list(only)} if only else {})}
        if not self.page.evaluate("'axe' in globalThis"):
            self.page.evaluate(AXE_SCRIPT)
        found = self.page.evaluate("(options) => axe.run(options)", options)
        return [
            f"{rule['id']}: {node['target']} {node['html'][:160]} {node['failureSummary']}"
            for rule in found["violations"]
            for node in rule["nodes"]
        ]

    def _check(self, request: Request) -> None:
        if not request.url.startswith((f"{self._address}/", "data:")):
            self._note(f"request to {request.url}")

    def _note(self, trouble: str, is_one: bool = True) -> None:
        if is_one:
            self.troubles.append(trouble)


@contextmanager
def new_site(store: Store, home: Path, url: str, browser: Browser) -> Iterator[Site]:
    """Start a dashboard for a home and a database."""
    home.mkdir(exist_ok=True)
    site = Site(store=store, home=home, url=url, browser=browser)
    try:
        site.start()
        yield site
    finally:
        for window in site.windows:
            window.page.context.close()
        site.stop()
