"""The page of the web server: a link that counts once, its code for a phone, and what to type where none runs."""

from __future__ import annotations

import pytest

from overmind_tui.web.page import BORDER, drawn, modules

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
