"""Where panels of many lines stand: at the tail of a log, whatever came, and wherever it was shown before."""

from __future__ import annotations

import re

import pytest

from tests.tui.conftest import picture, until

LINES = "for i in $(seq 60); do echo line $i; done; sleep 300"


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
def test_a_log_that_came_at_once_is_shown_at_its_tail(om, opened, size):
    async def scenario(app, pilot):
        await pilot.press("G", "l")
        await until(pilot, lambda: "line 60" in picture(app), what="the tail, in sight", tries=60)
        assert app.main.log_view.following

    opened({"quiet": "sleep 300", "writer": LINES}, scenario, size=size)


def test_a_wrapped_log_that_came_while_it_was_hidden_is_shown_at_its_tail(om, opened):
    async def scenario(app, pilot):
        await pilot.press("l", "w", "escape", "G")
        await until(pilot, lambda: "line 60" in app.main.log_view.text(), what="the log")
        await pilot.press("l")
        await until(pilot, lambda: "line 60 " + "long " * 6 in picture(app), what="the tail, in sight", tries=60)

    command = LINES.replace(
        "$i;", "$i long long long long long long long long long long long long long long long long;"
    )
    opened({"quiet": "sleep 300", "writer": command}, scenario, size=(80, 24))


def test_the_cursor_goes_to_a_row_far_below_as_soon_as_there_are_rows(om, opened):
    async def scenario(app, pilot):
        await pilot.press("G")
        assert "m39" in picture(app)

    opened({f"m{at:02}": "true" for at in range(40)}, scenario, size=(80, 24))


LONG = "%.0f a line that is longer than half of a small terminal, so that it wraps in a narrow one"
FLOOD = f"i=0; while :; do seq -f '{LONG}' $i $((i+1999)); i=$((i+2000)); sleep 0.02; done"
"""Some megabytes in a second; what knows no end takes the processors from all other tests."""


def numbers(app):
    return re.findall(r"(\d+) a line", picture(app))


@pytest.mark.parametrize("wrap", [True, False])
def test_who_reads_back_in_a_flood_is_not_disturbed_and_s_is_at_the_tail_again(om, opened, wrap):
    async def scenario(app, pilot):
        view = app.main.log_view
        await pilot.press("l", "z", *("w" if wrap else ""))
        await until(pilot, lambda: len(view.rows) > 300, what="lines")
        await pilot.press("pageup", "pageup")
        assert not view.following
        await until(pilot, lambda: numbers(app), what="lines in sight")
        await pilot.pause(0.3)  # what was on its way already
        shown, held = numbers(app), len(view.paged_log.tail.lines)
        await pilot.pause(1.0)
        assert numbers(app) == shown != []
        assert len(view.paged_log.tail.lines) <= held + 400
        await pilot.press("s")
        await until(pilot, lambda: int(max(numbers(app), key=int)) > int(max(shown, key=int)) + 10_000, what="tail")
        await until(pilot, lambda: len(view.paged_log.tail.lines) <= 7000, what="what is held has its limit")

    opened({"flood": FLOOD}, scenario)


def test_a_flood_that_is_followed_keeps_the_keys_alive(om, opened):
    async def scenario(app, pilot):
        await pilot.press("l", "w")
        await until(pilot, lambda: len(app.main.log_view.rows) > 300, what="lines")
        for wraps in (False, True, False):
            await pilot.press("w")
            assert app.main.log_view.wrap is wraps

    opened({"flood": FLOOD}, scenario)
