"""The page of the web server: a link that counts once, its code for a phone, and what to type where none runs."""

from __future__ import annotations

from overmind_tui.pages.text import TextPage
from tests.process.tui.test_commands import write
from tests.tui.conftest import picture, until


def test_without_a_server_the_page_says_what_to_type(opened):
    async def scenario(app, pilot):
        await write(pilot, ":web")
        await until(pilot, lambda: "No web server runs" in picture(app), what="the reason")
        assert ":web --background" in picture(app)

    opened({}, scenario)


def test_a_link_logs_in_and_the_next_one_is_another(om, opened):
    def link(app):
        assert isinstance(app.screen, TextPage)
        return next(
            (word for line in app.screen.text.lines for cell in line for word in [cell.text] if "#link=" in word), ""
        )

    async def scenario(app, pilot):
        await write(pilot, ":web")
        await until(pilot, lambda: link(app), what="a link")
        first = link(app)
        assert "█" in picture(app)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: link(app) != first, what="another link")

    om.ok("web", "--background", "--port", "0")
    try:
        opened({}, scenario)
    finally:
        om.ok("web", "stop")
