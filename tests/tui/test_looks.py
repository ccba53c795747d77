"""Colours that can be told apart and read by everybody; no colours, and no glyphs, for those who want or have none."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from overmind_core.domain.missions.status_marks import MARKS
from overmind_core.domain.text.cells import width
from overmind_core.view.cells import Cell
from overmind_tui.pages.page import whole_notice
from overmind_tui.shell import appearance
from overmind_tui.shell.messages import Connected
from tests.tui.test_pictures import Still, settle

SEES = {
    "all": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "no red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "no green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "no blue": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}
"""Who sees what of linear red, green and blue. Source: Machado, Oliveira, Fernandes 2009, severity 1."""
TOLD_APART = 17.0
"""Distance in CIELAB; 2 is hardly seen side by side."""
READ = 4.5
"""Contrast of text. Source: WCAG 2.2, 1.4.3."""
GLIMPSED = 3.0
"""Contrast of what only structures, and of states under the cursor, which are bold there."""


def linear(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def seen(colour, matrix):
    return [min(1.0, max(0.0, sum(a * b for a, b in zip(row, linear(colour), strict=True)))) for row in matrix]


def luminance(colour):
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def lab(rgb):
    red, green, blue = rgb
    xyz = (
        (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505,
        0.2126 * red + 0.7152 * green + 0.0722 * blue,
        (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089,
    )
    x, y, z = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def distance(one, other, matrix):
    pairs = zip(lab(seen(one, matrix)), lab(seen(other, matrix)), strict=True)
    return sum((a - b) ** 2 for a, b in pairs) ** 0.5


def tones(theme):
    more = {"good": theme.success, "slow": theme.warning, "bad": theme.error}
    return {**more, **{name: theme.variables[name] for name in ("wait", "calm", "off")}}


@pytest.mark.parametrize("theme", appearance.THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("eyes", SEES)
def test_the_tones_of_states_can_be_told_apart_by_all_eyes(theme, eyes):
    for one, other in itertools.combinations(tones(theme).items(), 2):
        assert distance(one[1], other[1], SEES[eyes]) > TOLD_APART, (one, other)


@pytest.mark.parametrize("theme", appearance.THEMES, ids=lambda theme: theme.name)
def test_text_can_be_read_on_the_ground_that_it_is_drawn_on(theme):
    said = {**tones(theme), "text": theme.foreground, "quiet": theme.variables["quiet"], "key": theme.primary}
    for name, colour in said.items():
        assert contrast(colour, theme.background) >= READ, name
        assert contrast(colour, theme.variables["cursor"]) >= GLIMPSED, name
    assert contrast(theme.variables["faint"], theme.background) >= GLIMPSED


def test_every_mark_has_its_ascii_sign_where_there_are_no_glyphs():
    assert all(mark.mark.translate(appearance.PLAIN) == mark.ascii for mark in MARKS)


def test_ascii_glyphs_have_the_width_of_what_they_stand_for():
    assert all(width(chr(glyph)) == len(sign) == 1 and sign.isascii() for glyph, sign in appearance.PLAIN.items())


def test_another_theme_is_drawn_at_once_as_if_begun_with():
    def drawn(app):
        return [[(segment.text, segment.style) for segment in line] for line in app.screen._compositor.render_strips()]

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


@pytest.mark.parametrize(("theme", "said"), [("nosuch", "unknown theme 'nosuch': using dark"), ("dark", "")])
def test_a_theme_that_is_not_there_is_told(theme, said):
    async def scene():
        app = Beginning(theme=theme)
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            assert app.theme == "dark"
            assert app.notice.tone == ("bad" if said else "quiet")
            assert (said or "daemon 4242") in app.main.bottom.render_line(0).text

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
                bottom = app.main.bottom
                assert bottom.size.height == lines
                shown = " ".join(bottom.render_line(y).text.strip() for y in range(lines))
                assert text in shown, "the remedy stands at the end"

    asyncio.run(scene())


def test_a_notice_that_is_longer_than_two_lines_says_that_it_is_cut():
    lines = ["".join(cell.text for cell in line) for line in whole_notice(Cell("word " * 60, "bad"), 80)]
    assert len(lines) == 2
    assert max(map(len, lines)) <= 80
    assert lines[-1].endswith("…")
