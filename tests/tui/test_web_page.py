"""The page of the web server: a link that counts once, its code for a phone, and what to type where none runs."""

from __future__ import annotations

import pytest

from overmind_tui.pages.text import TextPage
from overmind_tui.web.page import BORDER, drawn, modules
from tests.tui.conftest import picture, until
from tests.tui.test_commands import write

SHADES = {"█": (True, True), "▀": (True, False), "▄": (False, True), " ": (False, False)}


@pytest.mark.parametrize("dark", [True, False])
def test_a_camera_sees_the_modules_and_a_light_border(dark):
    code = modules("http://127.0.0.1:7600/#link=2VEhJ5XMvkOqjGMAwo9s3p-saIAlmUieHbZn4kb7e9U")
    lines = drawn(code, dark=dark)
    seen = [[SHADES[character][half] is not dark for character in line] for line in lines for half in (0, 1)]
    size = len(code)
    assert [row[BORDER : BORDER + size] for row in seen[BORDER : BORDER + size]] == [list(row) for row in code]
    around = [*seen[:BORDER], *seen[BORDER + size :]]
    assert len(around) >= 2 * BORDER
    assert not any(module for row in around for module in row)
    assert not any(module for row in seen for module in (*row[:BORDER], *row[BORDER + size :]))


def test_without_what_draws_codes_there_is_the_link_alone():
    assert drawn((), dark=True) == []


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
