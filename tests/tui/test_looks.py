"""Colours that can be told apart and read by everybody; no colours, and no glyphs, for those who want or have none."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from rich.color import Color, ColorType
from rich.style import Style

from overmind_core.domain.missions.status_marks import MARKS
from overmind_core.domain.text.cells import width
from overmind_core.view import tones
from overmind_tui.shell import appearance
from overmind_tui.shell.messages import Connected, Disconnected
from overmind_tui.terminal.user_terminal import UserTerminal
from tests.kit.screen_pictures import pictures
from tests.tui.test_pictures import Still, settle

NAMED = {
    "accent": "primary", "title": "secondary", "rule": "panel", "good": "success", "slow": "warning", "bad": "error",
    "text": "foreground", "page": "background", "line": "surface",
}  # fmt: skip
"""Colours that Textual has another name for."""


THEIRS = set("Äßüı⎿✻")
"""What others say, and the screen of an agent."""


def styles(app, tones):
    return {tone: app.tones[tone] for tone in tones}


@pytest.mark.parametrize("palette", tones.PALETTES, ids=lambda palette: palette.name)
def test_every_theme_has_the_colours_of_its_palette(palette):
    app = Still(theme=palette.name)
    found = {name: app.theme_variables[NAMED.get(name, name)] for name in palette.colours}
    native = palette is tones.SIXTEEN
    assert found == {
        name: f"ansi_{colour or 'default'}" if native else colour for name, colour in palette.colours.items()
    }
    assert app.theme_variables["accent"].lower() == app.theme_variables["primary"], "one accent"


@pytest.mark.parametrize("theme", ["dark", "light", "nord", "ansi-dark"])
def test_every_tone_has_a_style_in_every_theme(theme):
    app = Still(theme=theme)
    found = styles(app, tones.LOOKS)
    assert all(found[tone].color or found[tone].bgcolor for tone in (*tones.NAMES, "accent", "cursor"))


def test_bold_is_a_second_word_of_a_tone():
    app = Still()
    assert (app.tones["wait"].color, app.tones["wait"].bold) == (Color.parse(tones.DARK.colour("wait")), None)
    assert app.tones["wait bold"] == app.tones["wait"] + Style(bold=True)
    assert app.tones[""] == Style.null()


def test_every_mark_has_its_ascii_sign_where_there_are_no_glyphs():
    assert all(mark.mark.translate(appearance.PLAIN) == mark.ascii for mark in MARKS)


def test_ascii_glyphs_have_the_width_of_what_they_stand_for():
    assert all(width(chr(glyph)) == len(sign) == 1 and sign.isascii() for glyph, sign in appearance.PLAIN.items())


def test_what_the_pictures_of_the_screen_show_has_an_ascii_sign():
    drawn = {one for lines in pictures().values() for line in lines for one in line if not one.isascii()}
    assert {one for one in drawn if ord(one) not in appearance.PLAIN} <= THEIRS


FEW = [
    ({"TERM": "xterm"}, True), ({"TERM": "linux"}, True), ({"TERM": "screen"}, True), ({"TERM": "xterm-16color"}, True),
    ({"TERM": "xterm-256color"}, False), ({"TERM": "xterm", "COLORTERM": "truecolor"}, False),
    ({"TERM": "xterm-kitty"}, False), ({}, False),
]  # fmt: skip


@pytest.mark.parametrize(("environ", "few"), FEW)
def test_a_terminal_of_sixteen_colours_is_known_by_its_name(environ, few):
    assert appearance.has_few_colours(environ) is few


def few_coloured(**how):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(appearance, "has_few_colours", lambda _environ: True)
        return Still(**how)


@pytest.mark.parametrize("how", [{}, {"theme": "light"}, {"theme": "nord"}, {"theme": "nosuch"}])
def test_where_the_terminal_has_no_more_sixteen_is_worn_and_stays(how):
    app = few_coloured(**how)
    assert app.theme == "sixteen"
    if how.get("theme") == "nosuch":
        assert app.notice.text == "unknown theme 'nosuch': using sixteen"
    else:
        assert app.appearance.wear(app.settings)
        assert app.theme == "sixteen"


VIEWS = {"missions": (), "needs": ("!",), "help": ("?",), "form": ("n",), "command": (":",), "log": ("l",),
         "kill": ("ctrl+k",)}  # fmt: skip


@pytest.mark.parametrize("keys", VIEWS.values(), ids=VIEWS)
def test_the_sixteen_are_the_terminals_own_wherever_we_draw(keys):
    async def scene():
        app = Still(theme="sixteen")
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            if keys:
                await pilot.press(*keys)
                await settle(pilot)
            return drawn(app)

    styles = {style for line in asyncio.run(scene()) for _, style in line if style is not None}
    colours = {colour for style in styles for colour in (style.color, style.bgcolor) if colour is not None}
    assert all(colour.type in {ColorType.DEFAULT, ColorType.STANDARD} for colour in colours), colours
    assert keys or any(style.reverse for style in styles)
    assert all(style.color is None or style.color.is_default for style in styles if style.reverse)


def test_programs_are_not_told_that_text_has_the_colour_of_its_ground():
    for theme in ("dark", "light", "sixteen"):
        found = UserTerminal(SimpleNamespace(app=Still(theme=theme))).colours()
        assert found.foreground != found.background


def drawn(app):
    return [[(segment.text, segment.style) for segment in line] for line in app.screen._compositor.render_strips()]


def test_another_theme_is_drawn_at_once_as_if_begun_with():
    async def scene(begun, then):
        app = Still(theme=begun)
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            app.theme = then
            await settle(pilot)
            return drawn(app)

    assert asyncio.run(scene("dark", "light")) == asyncio.run(scene("light", "light"))


class Beginning(Still):
    """As it is when the supervisor answers first."""

    def _start(self):
        self.updates.take(Connected({"pid": 4242}, hosted=False))


def test_a_theme_that_is_not_there_is_told():
    async def scene():
        app = Beginning(theme="nosuch")
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            assert (app.theme, app.notice.tone) == ("dark", "bad")
            assert "unknown theme 'nosuch': using dark" in app.main.line.render_line(0).text

    asyncio.run(scene())


def test_a_daemon_that_answers_is_news_only_after_none_did():
    async def scene():
        app = Beginning()
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            assert app.notice.text == "", "it was to be expected"
            app.updates.take(Disconnected("it is gone.", final=False))
            app.updates.take(Connected({"pid": 4343}, hosted=False))
            await settle(pilot)
            assert "connected to daemon 4343" in app.main.line.render_line(0).text

    asyncio.run(scene())


REMEDY = "api has no worktree of its own, so there is nothing to land from it here · run --isolate gives a mission one"


def test_a_notice_that_is_longer_than_its_line_has_two_and_the_view_gets_them_back():
    async def scene():
        app = Still()
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            for text, lines in ((REMEDY, 2), ("done", 1)):
                app.flash(text, "slow")
                app.main.refresh_status()
                await settle(pilot)
                line = app.main.line
                assert line.size.height == lines
                shown = " ".join(line.render_line(y).text.strip() for y in range(lines))
                assert text in shown, "the remedy stands at the end"

    asyncio.run(scene())
