"""The screen while no daemon answers: what was told last arrives, pages say how old they are, and ctrl-r takes over."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.domain.operation import Danger
from overmind_core.errors import OvermindError
from overmind_core.view import missions
from overmind_core.view.actions import Needs
from overmind_core.view.hive_keys import SILENT_SINCE
from overmind_core.view.keymap import keymap
from overmind_tui.pages.table import TablePage
from overmind_tui.shell import missions_stream
from overmind_tui.shell.messages import Connected, Disconnected, Happened
from overmind_tui.shell.missions_stream import MissionsStream, Session
from overmind_tui.shell.updates import show_bottom
from tests.tui.conftest import picture
from tests.tui.test_handlers import pages
from tests.tui.test_pictures import NOW, Agents, Still
from tests.tui.test_pictures_board import Boarded
from tests.tui.test_pictures_talking import BY_ENGINE
from tests.tui.walks import Recording, walk

GONE = Disconnected("Daemon not running. Start with: overmind start", final=True)


class Lived(Recording, Still):
    """A program whose daemon goes away; it counts how often it was to supervise itself."""

    refusal = OvermindError("daemon_not_running", GONE.reason)
    later = 0.0
    """Seconds."""

    def __init__(self, **how):
        super().__init__(**how)
        self.taken_over = 0
        self.event_stream.retry = self._retry  # type: ignore[method-assign]

    def _retry(self):
        self.taken_over += 1

    def now(self):
        return NOW + self.later

    def lose(self):
        self.refuses = True
        self.fleet.events.clear()  # they are of another life than the rows
        self.updates.take(GONE)
        self.later = 12.0
        show_bottom(self)
        self.main.tick()


class LivedAgents(Lived, Agents):
    """The same with agents that ask."""


class LivedGate(LivedAgents):
    """The same while a spec waits at its gate."""

    def _start(self):
        super()._start()
        self.fleet.questions = BY_ENGINE
        self.main.rearrange()


class LivedBoard(Lived, Boarded):
    """The same with quests."""


async def opened(app, page):
    """Open a page, and wait until keys are for it."""
    app.open(page)
    while not page.is_mounted or not hasattr(page, "_handlers"):  # noqa: ASYNC110 - it is about to be
        await asyncio.sleep(0)


def test_where_no_daemon_answers_ctrl_r_takes_over_on_every_page():
    async def scenario(app, _press):
        app.lose()
        for page in (app.main, *pages(app)):
            if page is not app.main:
                await opened(app, page)
            before = app.taken_over
            app.screen.press("ctrl+r", None)
            assert app.taken_over > before, type(page).__name__
            app.fleet.awaits_supervisor = False
            if page is not app.main:
                app.pop_screen()

    walk(scenario, Lived)


def test_where_a_daemon_answers_ctrl_r_of_a_view_asks_for_its_rows_alone():
    async def scenario(app, press):
        await press(":quests", "ctrl+r")
        assert app.taken_over == 0

    walk(scenario, LivedBoard)


@pytest.mark.parametrize("view", ["board", "queue", "quests"])
def test_rows_of_a_view_say_for_how_long_nobody_knows_of_them_and_are_as_they_were(view):
    async def scenario(app, press):
        await press(f":{view}")
        page: Any = app.screen
        clock = page.clock()
        assert "no daemon" not in picture(app)
        app.lose()
        shown = picture(app)
        assert "no daemon for 12s" in shown
        assert "as of " in shown
        assert (page.clock(), page.table.rests) == (clock, True)
        app.refuses = False
        app.updates.take(Connected({"pid": 1}, hosted=False))
        page.refresh_status()
        assert "no daemon" not in picture(app)
        assert not page.table.rests

    walk(scenario, LivedBoard)


def test_who_needs_the_person_is_as_it_was_and_the_header_says_that_nobody_answers():
    async def scenario(app, press):
        await press("!")

        def live():
            needs = [entry.need for entry in app.main.table.branches if entry.need is not None]
            return {need.key: need.since for need in needs if missions.is_live(need.row)}

        before = live()
        app.lose()
        app.main.rearrange()
        assert live() == before != {}
        assert "as of " in picture(app)
        assert " · Daemon not running · ctrl-r starts one here " in picture(app)

    walk(scenario, LivedAgents, size=(80, 24))


def test_a_gate_that_has_no_mission_is_not_known_as_it_is_now_either():
    async def scenario(app, _press):
        app.lose()
        rows = {entry.id: entry.row for entry in app.main.table.branches}
        assert rows[BY_ENGINE[0]["id"]][SILENT_SINCE] == app.fleet.lost_since

    walk(scenario, LivedGate)


def test_keys_on_a_mission_say_why_nothing_is_done_and_ask_nobody():
    async def scenario(app, press):
        app.lose()
        live = next(one for one, row in app.fleet.rows.items() if SILENT_SINCE in row)
        app.main.select(live)
        assert "no daemon for 12s" in picture(app)
        app.asked.clear()
        for key in ("x", "r"):
            app.notice.clear()
            await press(key)
            assert app.screen is app.main, "no question is asked"
            assert app.notice.text == "no daemon for 12s · ctrl-r starts one here"
        assert app.asked == []

    walk(scenario, Lived)


def test_every_key_that_has_a_daemon_change_a_row_is_refused_on_every_page():
    async def scenario(app, _press):
        app.lose()
        for page in pages(app):
            await opened(app, page)
            for action in keymap(page.context).values():
                if action.verb and action.danger is not Danger.NONE and action.needs not in {Needs.NOTHING, Needs.HIVE}:
                    assert page._without_daemon(action, None) or action.verb == "shell", (page, action.name)
            app.pop_screen()

    walk(scenario, Lived)


class Closing:
    """A client at whose other end a daemon says its last word, in the middle of an answer or of the events."""

    def __init__(self, *lines):
        self.lines = list(lines)

    def connect(self):
        return {}

    def send(self, _command, _arguments):
        return 7

    def receive(self, timeout):
        del timeout
        if not self.lines:
            raise ConnectionError
        return self.lines.pop(0)

    def close(self):
        pass


END = {"seq": 5, "type": "stopped", "mission": "m1", "run": 1}


@pytest.mark.parametrize("asks", [False, True], ids=["while events are gathered", "while something is asked"])
def test_events_that_came_before_the_connection_closed_are_told(asks):
    told: list[Any] = []
    session = Session(Closing({"id": 3, "item": END}))  # type: ignore[arg-type] # all that is asked of one
    session._stream = 3
    stream: Any = SimpleNamespace(send=told.append, connected=lambda _daemon: None, _begin=lambda _session: None)
    stream._post_events = lambda events: MissionsStream._post_events(stream, events)
    stream._follow = lambda one: one.ask("ps", {}) if asks else MissionsStream._gather(stream, one, float("inf"))
    with pytest.raises(ConnectionError):
        MissionsStream.follow(stream, session)
    assert [type(one) for one in told] == [Happened]
    assert told[0].events == [END]
    assert stream._seq == END["seq"]


def test_killed_missions_are_asked_for_at_the_start_as_all_others():
    told: list[Any] = []
    killed = {"id": "k", "status": "killed", "hidden": True}

    def ask(command, args):
        return ([killed] if args.get("all") else []) if command == "ps" else {"seq": 1}

    session: Any = SimpleNamespace(ask=ask, stream=lambda *_: {})
    stream: Any = SimpleNamespace(send=told.append, _seq=0, eyes=False, _refresh_inbox_and_cost=lambda *_: None)
    MissionsStream._begin(stream, session)
    assert [(one.rows, one.everything) for one in told] == [([killed], True)]
    assert missions_stream._with_history(session) == [killed]


def test_a_table_page_is_of_the_daemon_unless_it_says_otherwise():
    async def scenario(app, _press):
        others = [page.view for page in pages(app) if isinstance(page, TablePage) and not page.of_daemon]
        assert others == ["hives"], "that says itself how each is reached"

    walk(scenario, Lived)
