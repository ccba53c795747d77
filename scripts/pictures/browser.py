"""The dashboard in a browser: a web server of the demonstration's home, and a Chromium that looks at it."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from scripts.pictures.colony import Colony

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

DESK: dict[str, Any] = {"viewport": {"width": 1440, "height": 560}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 700}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True,
}  # fmt: skip
PATIENCE = 30_000
"""Milliseconds until a page shows what it has to."""
SETTLED = 1_500
"""Milliseconds after that, for what is still drawn: letters of a terminal, a load that is measured."""


class WebScene(NamedTuple):
    """One picture of the dashboard.

    Attributes:
        name: Of the file.
        route: Of the page; `{name}` in it is the id of the mission of that name.
        shows: Each of these stands on the page before it is drawn.
        look: The window.
        theme: Of the system.
        before: Command lines that are given first.
    """

    name: str
    route: str
    shows: tuple[str, ...]
    look: dict[str, Any] = DESK
    theme: Literal["dark", "light"] = "dark"
    before: tuple[tuple[str, ...], ...] = ()


def draw(path: str, here: Colony, scenes: Sequence[WebScene], folder: str) -> list[str]:
    """Draw the scenes into a folder, and return the names of those that could be; the others are told.

    Args:
        path: Of the browser.
        here: Whose missions.
        scenes: In their order.
        folder: Where the files are written.
    """
    from playwright.sync_api import TimeoutError as TooLate  # noqa: PLC0415 - only these pictures need it
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - as above

    drawn = []
    with _server(here) as link, sync_playwright() as running:
        browser = running.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-lcd-text"])
        try:
            login = _logged_in(browser, link)
            for scene in scenes:
                for command in scene.before:
                    here.overmind(*command)
                context = browser.new_context(storage_state=login, color_scheme=scene.theme, **scene.look)
                try:
                    _draw(context, scene, link.partition("#")[0], here, os.path.join(folder, f"{scene.name}.png"))
                except TooLate as problem:
                    sys.stderr.write(f"{scene.name}: {problem}\n")
                else:
                    drawn.append(scene.name)
                finally:
                    context.close()
        finally:
            browser.close()
    return drawn


@contextlib.contextmanager
def _server(here: Colony) -> Iterator[str]:
    """A web server of the home; its link."""
    yield here.overmind("web", "--background", "--port", "0").splitlines()[0]
    here.overmind("web", "stop")


def _logged_in(browser: Browser, link: str) -> Any:  # noqa: ANN401 - what Playwright keeps of a login
    context = browser.new_context(**DESK)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(link)
    page.locator("#main section").first.wait_for()
    state = context.storage_state()
    context.close()
    return state


def _draw(context: BrowserContext, scene: WebScene, url: str, here: Colony, path: str) -> None:
    context.set_default_timeout(PATIENCE)
    page: Page = context.new_page()
    ids = {row["name"]: row["id"] for row in json.loads(here.overmind("ps", "--json"))}
    page.goto(f"{url}#/{scene.route.format_map(ids)}")
    for words in scene.shows:
        page.get_by_text(words).locator("visible=true").first.wait_for()
    page.wait_for_timeout(SETTLED)
    page.screenshot(path=path, animations="disabled")
