"""The web server of a home, somebody who is logged in, and pages in Chromium: what measurements of the web share."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from bench.product import PATIENCE, Home
from bench.screen import p50_p95

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from websockets.sync.client import ClientConnection

PROBE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "web_probe.js")
DESK = {"width": 1440, "height": 900}
LIVE = ".table .row"
"""What a list of missions shows once it has its rows."""


class Site:
    """A web server of `home`, from its start to `end`.

    Attributes:
        pid: Of its process.
        origin: Where browsers find it.
        link: The one that it printed, which works once.
        linked_after: Seconds from the start of the command until the link was printed.
        answered_after: Seconds from the start of the command until the page was answered.
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        argv = [home.product.program, "web", "--port", "0"]
        began = time.perf_counter()
        self._process = subprocess.Popen(
            argv, env=home.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self.link = next((line.strip() for line in self._process.stdout if "#link=" in line), "")
        self.linked_after = time.perf_counter() - began
        if not self.link:
            raise RuntimeError("overmind web printed no link")
        parts = urlsplit(self.link)
        self.pid = self._process.pid
        self.origin = f"http://{parts.netloc}"
        self.host = parts.netloc
        self.ask("GET", "/")
        self.answered_after = time.perf_counter() - began

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[Mapping[str, str], bytes]:
        """The headers, by their names in lower case, and the body of an answer."""
        connection = http.client.HTTPConnection(self.host, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request(method, path, body, {"Origin": self.origin, "Content-Type": "application/json"})
            answer = connection.getresponse()
            if answer.status >= http.client.BAD_REQUEST:
                raise RuntimeError(f"{method} {path}: {answer.status}")
            return {name.lower(): value for name, value in answer.getheaders()}, answer.read()

    def fresh_link(self) -> str:
        """Another link, which works once."""
        return self.home.command("web", "link").split()[-1]

    def end(self) -> None:
        """End it."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(PATIENCE)
        if self._process.stdout is not None:
            self._process.stdout.close()


@contextlib.contextmanager
def served(home: Home) -> Iterator[Site]:
    """A web server for a while."""
    site = Site(home)
    try:
        yield site
    finally:
        site.end()


class Wire:
    """One tab's socket without a browser; a context manager."""

    def __init__(self, site: Site) -> None:
        headers, body = site.ask("POST", "/login", json.dumps({"link": site.fresh_link().partition("link=")[2]}))
        self._address = f"ws://{site.host}/ws"
        self._origin = site.origin
        self._cookie = headers["set-cookie"].partition(";")[0]
        self._key = json.loads(body)["key"]
        self.socket: ClientConnection

    def __enter__(self) -> Self:
        from websockets.sync.client import connect  # noqa: PLC0415 - only these measurements need it

        self.socket = connect(
            self._address, origin=self._origin, compression=None, max_size=None, proxy=None,  # type: ignore[arg-type]
            subprotocols=["overmind.1", f"key.{self._key}"],  # type: ignore[list-item]
            additional_headers={"Cookie": self._cookie}, close_timeout=1.0,
        )  # fmt: skip
        return self

    def __exit__(self, *_error: object) -> None:
        self.socket.close()

    def say(self, **message: object) -> None:
        """Send a message; `from_` is written as `from`."""
        self.socket.send(json.dumps({name.rstrip("_"): value for name, value in message.items()}))

    def until(self, kind: str, **facts: object) -> dict[str, Any]:
        """The next message of this kind that has these members."""
        while True:
            message: dict[str, Any] = json.loads(self.socket.recv(PATIENCE))
            if message["t"] == "ping":
                self.say(t="pong")
            if message["t"] == kind and all(message.get(name) == value for name, value in facts.items()):
                return message

    def ping(self) -> float:
        """Seconds that it takes to be answered."""
        began = time.perf_counter()
        self.say(t="ping")
        self.until("pong")
        return time.perf_counter() - began


def why_no_browser() -> str | None:
    """Why there can be no page here; None: there can."""
    if shutil.which("chromium") is None:
        return "Chromium is not installed (apt-get install chromium)"
    try:
        import playwright.sync_api  # noqa: F401, PLC0415 - an extra
    except ImportError:
        return "playwright is not installed (pip install playwright)"
    return None


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - an extra

    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


class Visitor:
    """Somebody's browser, logged in at a site: each page in a context of its own, as a tab behind another is slowed."""

    def __init__(self, browser: Browser, site: Site) -> None:
        self._browser = browser
        self.site = site
        with self.stranger() as page:
            page.goto(site.fresh_link())
            page.locator(f"{LIVE}, .nothing:visible").first.wait_for()
            self._state = page.context.storage_state()

    @contextlib.contextmanager
    def stranger(self, size: Mapping[str, int] | None = None, state: Any = None) -> Iterator[Page]:  # noqa: ANN401
        """A page with the probe, of nobody yet; nothing is in the browser's cache."""
        wanted = size or DESK
        context = self._browser.new_context(viewport=wanted, color_scheme="dark", storage_state=state)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE * 1000)
        context.add_init_script(path=PROBE)
        try:
            yield context.new_page()
        finally:
            context.close()

    @contextlib.contextmanager
    def page(self, route: str = "missions", size: Mapping[str, int] | None = None) -> Iterator[Page]:
        """A page of a route, with its first data there."""
        with self.stranger(size, self._state) as page:
            page.goto(f"{self.site.origin}/#/{route}")
            page.locator("#main section").first.wait_for()
            yield page


class Meter:
    """What a page costs its browser, by the browser's own account."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def _figure(self, name: str) -> float:
        found = self._session.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in found if one["name"] == name))

    @property
    def busy(self) -> float:
        """Seconds of the processor that its main thread has taken so far."""
        return self._figure("TaskDuration")

    @property
    def heap(self) -> float:
        """Bytes of JavaScript in use."""
        return self._figure("JSHeapUsedSize")


def spread(seconds: Sequence[float]) -> str:
    """The middle one, and the one that 95 % stay below."""
    median, late = p50_p95(seconds)
    return f"p50 {median * 1000:.1f} ms, p95 {late * 1000:.1f} ms"
