"""How pages look in the sizes and themes that are not looked at with each landing."""

from __future__ import annotations

import pytest

from tests.engines.web.test_looks import BY_DAY, MANY_PAGES, WIDTHS, life, look_at_dialogs, look_at_pages

__all__ = ["life"]

THEMES = ("dark", "light")
AT_NIGHT = [(width, theme) for width in WIDTHS for theme in THEMES if (width, theme) not in BY_DAY]


@pytest.mark.timeout(MANY_PAGES)
@pytest.mark.parametrize(("width", "theme"), AT_NIGHT)
def test_axe_finds_nothing_on_any_page(pages, life, judged, width, theme):
    look_at_pages(pages, life, judged, width, theme)


@pytest.mark.timeout(MANY_PAGES)
@pytest.mark.parametrize(("width", "theme"), [("desk", "light"), ("phone", "dark")])
def test_axe_finds_nothing_in_dialogs_and_fingers_hit_their_buttons(pages, life, judged, width, theme):
    look_at_dialogs(pages, life, judged, width, theme)
