"""Which program calls its person, and what the terminal outside says."""

from __future__ import annotations

import pytest

from overmind_core.view import ringing
from overmind_core.view.fleet import Fleet
from overmind_tui.shell.notices import Title
from tests.core.view.test_subject import row

TITLES = [(0, 0, False, "overmind"), (2, 5, False, "overmind !2 ❯5"), (0, 1, True, "overmind _1")]


@pytest.mark.parametrize(("blocked", "turns", "ascii_only", "title"), TITLES)
def test_the_title_says(blocked, turns, ascii_only, title):
    assert ringing.title(blocked, turns, ascii_only=ascii_only) == title


def test_a_title_is_only_told_when_it_changes():
    on_result: list[str] = []
    title = Title(on_result.append, ascii_only=False)
    fleet = Fleet()
    for _ in range(3):
        title.update(fleet, 0.0)
    title.give_back()
    title.give_back()
    assert on_result == ["\x1b[22;2t\x1b]2;overmind\x07", "\x1b]2;\x07\x1b[23;2t"]


def test_the_title_follows_what_has_come():
    on_result: list[str] = []
    title, fleet = Title(on_result.append, ascii_only=True), Fleet()
    title.update(fleet, 0.0)
    fleet.apply([row("a1b2c3d4", "waiting") | {"parent": None}], (), everything=True)
    title.update(fleet, 0.0)
    assert on_result[-1] == "\x1b]2;overmind !1\x07"
