"""Where panels of many lines stand: at the tail of a log, whatever came, and wherever it was shown before."""

from __future__ import annotations

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
