"""Where panels of many lines stand: at the tail of a log, whatever came, and wherever it was shown before."""

from __future__ import annotations

import queue
import re
from contextlib import closing

import pytest
from textual.message import Message

from overmind_core.log_pages.index import LogScope
from overmind_core.log_pages.paged_log import PagedLog
from overmind_core.log_pages.reader import Reader
from overmind_core.system.paths import Home
from overmind_tui.log import follow
from overmind_tui.shell.messages import LogIndexed, LogShown
from overmind_tui.shell.requests import Located
from tests.kit.waiting import eventually
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
        assert app.main.log_view.wrap
        await pilot.press("l", "escape", "G")
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

    opened({f"m{at:02}": "sleep 300" for at in range(40)}, scenario, size=(80, 24))


LONG = "%.0f a line that is longer than half of a small terminal, so that it wraps in a narrow one"
FLOOD = f"i=0; while :; do seq -f '{LONG}' $i $((i+1999)); i=$((i+2000)); sleep 0.02; done"
"""Some megabytes in a second; what knows no end takes the processors from all other tests."""


def numbers(app):
    return re.findall(r"(\d+) a line", picture(app))


@pytest.mark.parametrize("wrap", [True, False])
def test_who_reads_back_in_a_flood_is_not_disturbed_and_s_is_at_the_tail_again(om, opened, wrap):
    async def scenario(app, pilot):
        view = app.main.log_view
        await pilot.press("l", "z", *("" if wrap else "w"))
        await until(pilot, lambda: len(view.rows) > 300, what="lines")
        await pilot.press("pageup", "pageup")
        assert not view.following
        await pilot.pause(0.3)  # what was on its way already
        await until(pilot, lambda: numbers(app) and not view.paged_log.gap.count, what="lines in sight")
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
        for wraps in (True, False, True):
            await pilot.press("w")
            assert app.main.log_view.wrap is wraps

    opened({"flood": FLOOD}, scenario)


def test_what_lies_before_lines_that_were_on_their_way_when_somebody_began_to_read_back_is_found(om, monkeypatch):
    """Nothing else comes then: what is not found with them is never found."""
    messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
    follower = follow.LogFollower(lambda missions: Located(Home(om.home), missions), messages.put)
    opened = []

    class HeldMeanwhile(Reader):
        def open(self):
            opened.append(self)
            if len(opened) == 3:
                follower.hold(back=True)
            return super().open()

    monkeypatch.setattr(follow, "Reader", HeldMeanwhile)
    log, shown = PagedLog(), []

    def is_whole():
        while not messages.empty():
            match messages.get():
                case LogShown() as message:
                    log.begin(message.lines, message.partial, message.before)
                    shown.append(message)
                case LogIndexed() as message:
                    log.found(message.pages, whole=message.whole)
        return len(shown) == 3 and log.gap.count == 0

    mission = om.mission(["sh", "-c", FLOOD])
    with closing(follower):
        follower.start()
        follower.show(LogScope((mission,)))
        eventually(is_whole, timeout=30, what="all that lies before is known")
    assert len(opened) == 3
