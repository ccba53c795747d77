"""The dashboard in a browser: a web server of the demonstration's home, and a Chromium that looks at it."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from scripts.pictures import png
from scripts.pictures.colony import Colony

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DESK: dict[str, Any] = {"viewport": {"width": 1440, "height": 810}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
LOOKS: tuple[tuple[str, dict[str, Any], Literal["dark", "light"]], ...] = (
    ("", DESK, "dark"), ("-phone", PHONE, "dark"), ("-light", DESK, "light"), ("-phone-light", PHONE, "light"),
)  # fmt: skip
"""Each page is drawn so: the end of the file's name, the window, the theme of the system."""
PATIENCE = 30_000
"""Milliseconds until a page shows what it has to."""
SETTLED = 1_500
"""Milliseconds after that, for what is still drawn: letters of a terminal, a load that is measured."""


class WebScene(NamedTuple):
    """A page of the dashboard.

    Attributes:
        page: The file's name, between `web-` and how it is looked at.
        route: `{name}` in it is the id of the mission of that name.
        shows: Each of these stands on the page before it is drawn.
        comment: A file, a line of it, and what is written there before; empty for none.
    """

    page: str
    route: str
    shows: tuple[str, ...]
    comment: tuple[()] | tuple[str, int, str] = ()

    @property
    def names(self) -> list[str]:
        """Of its files, without their ends."""
        return [f"web-{self.page}{end}" for end, _, _ in LOOKS]


def draw(path: str, here: Colony, scenes: Sequence[WebScene], folder: str) -> list[str]:
    """Draw the pages into a folder in every look, and return the names of those that could be; the others are told.

    Args:
        path: Of the browser.
        here: Whose missions.
        scenes: In their order.
        folder: Where the files are written.
    """
    from playwright.sync_api import TimeoutError as TooLate  # noqa: PLC0415 - only these pictures need it
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - as above

    drawn = []
    ids = {row["name"]: row["id"] for row in json.loads(here.overmind("ps", "--json"))}
    with _server(here) as link, sync_playwright() as running:
        browser = running.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-lcd-text"])
        try:
            login = _logged_in(browser, link)
            for end, look, theme in LOOKS:
                context = browser.new_context(storage_state=login, color_scheme=theme, **look)
                context.set_default_timeout(PATIENCE)
                page = context.new_page()
                for scene in scenes:
                    name = f"web-{scene.page}{end}"
                    try:
                        picture = _shot(page, scene, f"{link.partition('#')[0]}#/{scene.route.format_map(ids)}")
                    except TooLate as problem:
                        sys.stderr.write(f"{name}: {problem}\n")
                        continue
                    png.keep(os.path.join(folder, f"{name}.png"), png.small(picture, look["viewport"]["height"]))
                    drawn.append(name)
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


def _shot(page: Page, scene: WebScene, address: str) -> bytes:
    page.goto(address)
    if scene.comment:
        _comment(page, *scene.comment)
    for words in scene.shows:
        page.get_by_text(words).locator("visible=true").first.wait_for()
    page.wait_for_timeout(SETTLED)
    return page.screenshot(animations="disabled")


def _comment(page: Page, file: str, line: int, words: str) -> None:
    """Write a comment on a line, which stays in this browser until it is sent."""
    row = page.locator(f'[data-line="{file}:{line}"]')
    row.wait_for()
    if page.locator(".comment").count():
        return
    row.click()
    page.get_by_role("textbox", name=f"Comment on {file}:{line}").fill(words)
    page.get_by_role("button", name="Keep").click()
