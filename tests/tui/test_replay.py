"""A run is replayed on the whole terminal from what is in sight, and the screen is as before when that is left."""

from __future__ import annotations

from typing import ClassVar

from overmind_core.domain.text.moment import format_time
from overmind_core.terminal.screen import Screen
from overmind_tui.log import replay
from overmind_tui.shell import external
from tests.kit.cases import tabled
from tests.tui.test_pictures import LOG, ROWS, Still
from tests.tui.test_pictures_terminal import Stopped
from tests.tui.walks import Recording, walk

RUN = {"missions": [{"runs": [{"number": 3, "path": "/proc/nosuch/log"}]}]}


class Logged(Recording, Still):
    answers: ClassVar = {"logs": RUN}


class InTerminal(Recording, Stopped):
    answers: ClassVar = {"logs": RUN}

    def __init__(self):
        super().__init__(after=())


def words_of(monkeypatch):
    """The words of each command line that gets the terminal."""
    ran: list[list[str]] = []
    monkeypatch.setattr(external, "run", lambda _shell, argv, **_how: ran.append(list(argv[8:])))
    return ran


def test_a_log_is_replayed_from_the_last_line_in_sight_and_while_it_follows_from_the_beginning(monkeypatch):
    ran = words_of(monkeypatch)

    async def scenario(app, press):
        await press("l", "R")
        assert ran == [["replay", "00000002"]]
        await press("g", "R")
        line = app.main.log_view.last_in_sight
        assert line in LOG
        (_, (*words, at)) = ran
        assert words == ["replay", "00000002", "--at"]
        assert at == format_time(line[0])
        assert app.main.context.value == "log"

    walk(scenario, Logged, size=(80, 24))


def test_a_terminal_is_replayed_from_the_last_row_in_sight(monkeypatch):
    ran = words_of(monkeypatch)
    looked: list[tuple[str, list[str]]] = []

    def written_at(path, texts):
        looked.append((path, texts))
        return 1_767_268_800.25

    monkeypatch.setattr(replay, "written_at", written_at)

    async def scenario(app, press):
        await press("enter", "R")
        assert ran == [["replay", "00000002"]]
        await press("g", "R")
        while len(ran) == 1:
            await press("f12")
            await app.workers.wait_for_complete()
        assert ran[1] == ["replay", "00000002", "--run", "3", "--at", "2026-01-01T12:00:00.250Z"]
        ((path, texts),) = looked
        view = app.main.terminal_view
        assert path == "/proc/nosuch/log"
        assert texts[0] == view._grid.text(view._grid.end - 1)
        assert texts[-1] == view._grid.text(view._window.row + view.pane[1] - 1)

    walk(scenario, InTerminal)


def test_a_mission_of_another_machine_is_not_replayed_here_which_is_said(monkeypatch):
    ran = words_of(monkeypatch)
    row = {**ROWS[0], "hive": "eu1", "name": "eu1/api\x1b[2J"}

    async def scenario(app, _press):
        replay.replay(app, row)
        assert not ran
        assert app.notice.text.startswith("replay: the log of eu1/api")
        assert "\x1b" not in app.notice.text
        assert "there: overmind replay api" in app.notice.text

    walk(scenario, Logged)


TEXT = b"$ make\r\none\r\n\x1b[32mtwo\x1b[0m three\r\none\r\nfour\r\n"


@tabled(
    ("texts", "place"),
    [
        (["four", "one"], TEXT.rfind(b"one")),
        (["four", "one", "two", "one"], TEXT.find(b"one")),
        (["four", "one", "two three"], TEXT.rfind(b"one")),
        (["", "$", "four"], TEXT.find(b"four")),
        (["five"], None),
        ([], None),
    ],
    ids=["the newest", "the older behind another", "cut by colours", "blank and short", "not there", "none"],
)
def test_a_row_of_a_terminal_is_found_in_what_was_written(texts, place):
    assert replay.row_place(TEXT, texts) == place


def test_what_a_run_wrote_is_found_as_its_terminal_shows_it():
    written = b"".join(b"row %d\r\n" % number for number in range(99))
    screen = Screen(20, 5)
    screen.feed(written)
    texts = [screen.line(row) for row in range(4, -1, -1)]
    assert replay.row_place(written, texts) == written.find(b"row 95")
