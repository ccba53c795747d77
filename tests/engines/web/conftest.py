"""A real web server and Chromium's headless shell: `make test-web` sets OVERMIND_TEST_WEB to the browser's path.

Where none can be had it sets OVERMIND_NO_WEB to the reason, and each test here is skipped with it, or fails where
OVERMIND_TEST_MUST names web. A console error, an error of a page or a request to anything foreign fails any test.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import pytest

from tests.kit.agents import Agents
from tests.kit.engines import leave_out
from tests.kit.overmind import Overmind
from tests.kit.waiting import eventually
from tests.kit.web_site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Playwright, Request

Theme = Literal["dark", "light"]
HERE = os.path.join(os.path.dirname(__file__), "")
DESK: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
LAPTOP: dict[str, Any] = {"viewport": {"width": 900, "height": 700}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844}, "device_scale_factor": 3, "is_mobile": True, "has_touch": True,
}  # fmt: skip
LOST = (
    "WebSocket connection to",
    "net::ERR_CONNECTION_REFUSED",
    "net::ERR_EMPTY_RESPONSE",
    "net::ERR_CONNECTION_RESET",
)
"""What a browser says by itself when a server is gone."""
PLACES = """() => [...document.querySelectorAll("a, button, input, select, textarea, summary, [tabindex]")]
.map((one) => {
    const box = one.getBoundingClientRect();
    return [box.x, box.y, box.width, box.height].join();
}).join(";")"""
"""Where everything is that can be pressed."""
LOOKS = 5
"""How often axe looks at a page that moves meanwhile."""


@pytest.hookimpl(tryfirst=True)  # before `-m web` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test of this folder."""
    for item in items:
        if str(item.path).startswith(HERE):
            item.add_marker(pytest.mark.web)


@pytest.hookimpl(tryfirst=True)  # before its fixtures
def pytest_runtest_setup() -> None:
    """Leave out a test, unless somebody asked for a real browser."""
    if not os.environ.get("OVERMIND_TEST_WEB"):
        leave_out("web", os.environ.get("OVERMIND_NO_WEB") or "a real Chromium: make test-web")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright, without a browser of its own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium for all tests of this worker; each has contexts of its own."""
    path = os.environ["OVERMIND_TEST_WEB"]
    browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
    yield browser
    browser.close()


@pytest.fixture
def agents(om: Overmind, tmp_path: Any) -> Agents:
    """A stand-in for `claude` in the home's world."""
    return Agents(om, str(tmp_path / "bin"))


@pytest.fixture
def site(om: Overmind, agents: Agents) -> Iterator[Site]:
    """A web server of the home."""
    del agents  # whose program is in the server's world, too
    site = Site(om)
    yield site
    site.close()


class Watched:
    """Pages of a site, each in a context of its own, and all that went wrong in them.

    Attributes:
        tolerated: Beginnings of console errors that this test causes itself.
    """

    def __init__(self, browser: Browser, site: Site) -> None:
        self._browser = browser
        self.site = site
        self.contexts: list[BrowserContext] = []
        self.problems: list[str] = []
        self.tolerated: tuple[str, ...] = ()
        self._state: Any = None

    def context(self, *, theme: Theme = "dark", logged_in: bool = True, **how: Any) -> BrowserContext:
        """A context, logged in by a link unless that is not wanted."""
        if logged_in and self._state is None:
            self._state = self._log_in()
        state = self._state if logged_in else None
        context = self._browser.new_context(color_scheme=theme, storage_state=state, **(how or DESK))
        context.set_default_timeout(20_000)
        context.on("page", self._watch)
        self.contexts.append(context)
        return context

    def _log_in(self) -> Any:
        context = self.context(logged_in=False)
        page = context.new_page()
        page.goto(self.site.first_link)
        page.locator(".live, .missions-head").first.wait_for()
        state = context.storage_state()
        context.close()
        return state

    def open(self, route: str = "", *, theme: Theme = "dark", **how: Any) -> Page:
        """A page that is logged in, at this route, with its first data there."""
        page = self.context(theme=theme, **how).new_page()
        self.go(page, route)
        return page

    def go(self, page: Page, route: str) -> None:
        """Have a page show a route."""
        page.goto(self.site.url + (f"#/{route}" if route else ""))
        page.locator("#main section").first.wait_for()

    def _watch(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"page error: {error} {error.stack}"))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(one in message.text for one in self.tolerated):
            self.problems.append(f"console: {message.text} {message.location}")

    def _request(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.site.url).netloc:
            self.problems.append(f"foreign request: {request.url}")

    def close(self) -> None:
        """Close all pages."""
        for context in self.contexts:
            context.close()


@pytest.fixture
def pages(browser: Browser, site: Site) -> Iterator[Watched]:
    """Pages of the site; at the end nothing went wrong in any of them."""
    watched = Watched(browser, site)
    yield watched
    watched.close()
    assert not watched.problems, "\n".join(watched.problems)


@pytest.fixture
def page(pages: Watched) -> Page:
    """A desk's page, logged in: 1440 x 900."""
    return pages.open(**DESK)


@pytest.fixture
def phone(pages: Watched) -> Page:
    """A phone's page, logged in: 390 x 844, touched."""
    return pages.open(**PHONE)


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    with open(os.environ["OVERMIND_TEST_AXE"], encoding="utf-8") as file:
        return file.read()


@pytest.fixture
def judged(axe: str) -> Callable[[Page], list[str]]:
    """What axe finds in a page; the strict policy keeps scripts out, so it goes in by the debugger.

    It asks for places one after the other: what it finds while the page gets its data and things move is looked at
    again, once they stand still.
    """

    def judge(page: Page) -> list[str]:
        page.evaluate("() => Promise.allSettled(document.getAnimations().map((one) => one.finished))")
        session = page.context.new_cdp_session(page)
        session.send("Runtime.evaluate", {"expression": axe})
        asked = (
            "axe.run(document, {resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})"
        )
        expression = f"{asked}.then((found) => JSON.stringify(found.violations))"
        violations: list[Any] = []
        for _ in range(LOOKS):
            places = page.evaluate(PLACES)
            answer = session.send(
                "Runtime.evaluate", {"expression": expression, "awaitPromise": True, "returnByValue": True}
            )
            violations = json.loads(answer["result"]["value"])
            if not violations or page.evaluate(PLACES) == places:
                break
        session.detach()
        return [f"{one['id']}: {node['html']} {node['failureSummary']}" for one in violations for node in one["nodes"]]

    return judge


def press_until(page: Page, key: str, dialog: Locator) -> None:
    """Press a key until it is asked: what has only just appeared, or moved, takes none."""

    def asks() -> bool:
        page.keyboard.press(key)
        return dialog.is_visible()

    eventually(asks, timeout=30, what=f"{key} asks")
