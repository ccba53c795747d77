"""The panel of the missions screen: it follows a cursor that rests, turns, scrolls, and shows what was changed."""

from __future__ import annotations

import asyncio
import queue
from contextlib import closing
from copy import deepcopy
from typing import Any

import pytest

from overmind_core.client import terminal_stream as stream
from overmind_core.errors import OvermindError
from overmind_core.log_pages.index import LogScope
from overmind_core.log_pages.reader import Reader
from overmind_core.system.paths import Home
from overmind_core.view import diff_face
from overmind_core.view.actions import Context
from overmind_tui.log import follow
from overmind_tui.log.follow import LogFollower
from overmind_tui.missions import diff_panel, following
from overmind_tui.render.layout import Panel
from overmind_tui.shell.messages import LogGrew, LogShown
from overmind_tui.shell.requests import Located
from tests.tui.conftest import picture, until
from tests.tui.test_hop import TYPED, Terminals
from tests.tui.test_pictures import NOW, ROWS, Still, mission, settle
from tests.tui.test_pictures_worktrees import CHANGES, Isolated
from tests.tui.test_traps import run
from tests.tui.walks import Recording, walk

CROWD = [*ROWS, *(mission(at, f"more-{at}", "running", now="on and on") for at in range(20, 40))]


class Looked(Still):
    """Notes whose log the panel shows."""

    def __init__(self, **how):
        super().__init__(CROWD, **how)
        self.looks: list[str] = []

    def _show_log(self, look):
        self.looks.append(look.alone)
        super()._show_log(look)


class Clock:
    """The time that the panel knows: a slow machine makes no rest."""

    now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def restful(monkeypatch):
    """The cursor has to rest, as it has to for people."""
    clock = Clock()
    monkeypatch.setattr(following, "REST_SECONDS", 0.12)
    monkeypatch.setattr(following, "time", clock)
    return clock


def test_a_cursor_that_moves_on_draws_no_panel_and_one_that_rests_does(restful):
    async def whole():
        app = Looked()
        async with app.run_test(size=(120, 40)) as pilot:
            await settle(pilot)
            app.main.following.at_once()
            del app.looks[:]
            for _ in range(20):
                app.main.press("j", "j")
                restful.now += 0.1
                await pilot.pause(0.02)
                assert app.looks == []
            rested = app.main.table.cursor_id
            restful.now += 1.0
            await until(pilot, lambda: app.looks == [rested], what="its log")
            assert app.main.following.mission == rested

    asyncio.run(whole())


@pytest.mark.parametrize("key", ["l", "tab", "z"])
def test_a_key_that_is_about_the_panel_has_it_come_at_once(restful, key):
    del restful

    async def whole():
        app = Looked()
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            for one in ("j", key):
                app.main.press(one, one if len(one) == 1 else None)
            if key != "z":
                assert app.main.following.mission == app.main.table.cursor_id
                assert app.looks[-1] == app.main.table.cursor_id

    asyncio.run(whole())


def shown(app):
    """The face of the panel."""
    return app.main.panels.shown


class Diffed(Recording, Isolated):
    """Missions with changes; requests are recorded."""


def test_the_diff_is_a_face_that_stays_turned_and_is_asked_for_where_the_cursor_rests():
    async def scenario(app, press):
        assert app.of("changes") == []
        await press("tab")
        assert shown(app) is Panel.DIFF
        assert app.of("changes") == [{"id": "00000001"}]
        drawn = picture(app)
        assert CHANGES["files"][0]["path"] in drawn
        assert diff_face.total(app.main.diff_panel._found) in drawn
        await press("j")
        assert app.of("changes")[-1] == {"id": app.main.table.cursor_id}
        app.main.panels.turn_to(Panel.LOG)
        await press("shift+down")
        assert shown(app) is Panel.LOG
        before = len(app.of("changes"))
        await press("k", "j")
        assert len(app.of("changes")) == before, "nobody looks at one"

    walk(scenario, Diffed)


@pytest.mark.parametrize("kind", ["turn_ended", "stopped", "crashed", "killed", "keeper_lost"])
def test_the_diff_is_asked_for_again_when_work_was_done_or_ended(kind):
    async def scenario(app, press):
        await press("tab")
        app.main.happened({kind})
        assert len(app.of("changes")) == 2
        app.main.happened({"output"})
        assert len(app.of("changes")) == 2

    walk(scenario, Diffed)


def test_a_mission_without_changes_says_so_and_one_that_cannot_be_asked_why():
    async def scenario(app, press):
        app.answers = app.answers | {"changes": {**CHANGES, "files": [], "diff": ""}}
        await press("tab")
        assert diff_face.NOTHING in picture(app)
        app.refuses = True
        app.main.diff_panel.happened({"committed"})
        await press("shift+down")
        assert Recording.refusal.message in picture(app)

    walk(scenario, Diffed)


def test_a_diff_that_takes_long_is_given_up(monkeypatch):
    monkeypatch.setattr(diff_panel, "GIVEN_UP_SECONDS", 0.05)
    late = []

    class Late(Diffed):
        def request(self, command, requests, on_result):
            if command == "changes":
                late.append(on_result)
            else:
                super().request(command, requests, on_result)

    async def whole():
        app = Late()
        async with app.run_test(size=(120, 40)) as pilot:
            await settle(pilot)
            await pilot.press("tab")
            await until(pilot, lambda: diff_face.TAKES_LONG in picture(app), what="that it takes long")
            late[0]([CHANGES])
            await pilot.pause()
            assert diff_face.TAKES_LONG in picture(app), "nothing comes after it was given up"
            late[0]([OvermindError("busy")])
            await pilot.pause()
            assert diff_face.TAKES_LONG in picture(app)

    asyncio.run(whole())


def test_a_face_that_a_mission_lacks_is_passed_over_and_comes_back():
    async def scenario(app, press):
        await press("tab", "tab")
        assert shown(app) is Panel.TERMINAL, "the first one has a terminal"
        await press("j")
        assert shown(app) is Panel.LOG, "the second one has none"
        await press("k")
        assert shown(app) is Panel.TERMINAL

    walk(scenario, Diffed)


def test_keys_scroll_the_panel_while_the_list_has_the_keys():
    async def scenario(app, press):
        assert app.main.log_view.following
        await press("shift+up")
        assert app.main.panels.current is Panel.TABLE
        at = app.main.table.at
        assert not app.main.log_view.following
        await press("shift+down")
        assert app.main.log_view.following
        assert app.main.table.at == at

    class Long(Recording, Still):
        def _show_log(self, look):
            self.post_message(LogShown(look, [(NOW, 0, f"line {at}") for at in range(200)], partial="", runs=(1, 1)))

    walk(scenario, Long)


def test_where_no_panel_is_a_key_says_how_to_have_one():
    async def scenario(app, press):
        app.main.panels._is_open = False
        app.main.panels.fold()
        await press("shift+down")
        assert app.notice.text == "no panel to scroll: tab opens it"
        await press("tab")
        assert app.main.panels.shape.panel_lines

    class Plain(Recording, Still):
        pass

    walk(scenario, Plain, size=(80, 24))


def test_a_terminal_that_is_only_a_face_leaves_the_keys_in_the_list_when_its_program_is_started_again():
    async def scenario(app, pilot):
        panel, row = app.main.terminal_panel, app.fleet.of(TYPED)
        assert app.main.table.select(TYPED)
        app.main.panels.turn_to(Panel.TERMINAL)
        await until(pilot, lambda: app.joined == [(TYPED, False)], what="its terminal")
        panel.session._came(stream.Exited(0))
        for status in ("stopped", "running"):
            app.fleet.apply([{**row, "status": status}], (), everything=False)
            panel.rows_changed()
        await until(pilot, lambda: app.joined == [(TYPED, False)] * 2, what="the terminal of its next run")
        assert app.main.context is Context.MISSIONS

    run(Terminals, scenario)


def test_the_key_that_leaves_a_terminal_is_not_said_to_be_sent_where_nothing_is():
    async def scenario(app, pilot):
        row = app.fleet.of(TYPED)
        app.main.terminal_panel.look(row)
        await until(pilot, lambda: app.joined == [(TYPED, False)], what="its terminal")
        app.fleet.apply([{**row, "type": "task", "interactive": False}], (), everything=False)
        await pilot.press("backslash")
        assert app.notice.text.startswith("typed takes no input: view only")
        app.fleet.apply([row], (), everything=False)
        app.main.terminal_panel.session._came(stream.Exited(0))
        await pilot.press("backslash")
        assert app.notice.text == "not sent: the terminal of typed is gone"
        assert app.joined == [(TYPED, False)]

    run(Terminals, scenario)


DESCRIBED: dict[str, Any] = {
    "id": "a", "name": "a", "status": "running", "exit_code": None, "seen_at": None, "runs": [], "annotations": [],
}  # fmt: skip


def test_an_empty_log_says_so_once_its_mission_has_ended():
    posted: list[Any] = []
    follower = LogFollower(lambda _: pytest.fail("nobody is asked"), posted.append)
    reader = Reader([deepcopy(DESCRIBED)], LogScope(("a",)))
    follower._show(reader)
    reader.apply({"type": "end", "mission": "a", "status": "stopped", "exit_code": 0})
    follower._deliver(reader, stale=True)
    assert [one.reason for one in posted] == ["no output yet", "no output"]
    follower._deliver(reader, stale=True)
    follower._deliver(reader, stale=True)
    assert [type(one) for one in posted] == [LogShown, LogShown, LogGrew, LogGrew], "it is said once"


class SlowSupervisor:
    """Answers with a log, but only after the one who waits for it was woken."""

    def __init__(self, _place):
        self.answered = False

    def connect(self):
        """Be there."""

    def close(self):
        """Be left."""

    def send(self, command, _args):
        assert command == "logs"
        return 1

    def receive(self, *, woken):
        if self.answered or not woken.is_set():
            woken.wait(20)
            raise TimeoutError
        woken.clear()
        self.answered = True
        return {"id": 1, "ok": {"missions": [DESCRIBED]}}


def test_a_line_wanted_before_the_log_has_come_is_drawn_though_nothing_follows(monkeypatch):
    monkeypatch.setattr(follow, "Client", SlowSupervisor)
    posted: queue.SimpleQueue[Any] = queue.SimpleQueue()
    follower = LogFollower(lambda missions: Located(Home("/none"), missions), posted.put)
    follower.draw_ruler(NOW)
    follower.show(LogScope(("a",)))
    follower.start()
    with closing(follower):
        assert isinstance(posted.get(timeout=20), LogShown)
        assert isinstance(posted.get(timeout=20), LogGrew)


class Unread(Still):
    """Missions in their third run, whose logs do not come."""

    def __init__(self):
        super().__init__([{**row, "run": 3} for row in ROWS])

    def _show_log(self, look):
        """Say nothing."""


def test_p_shows_the_previous_run_also_before_the_log_of_the_newest_has_come():
    async def scenario(app, press):
        await press("p")
        assert app.main.log_panel.look.run == 2
        await press("p", "p")
        assert app.notice.text == "no previous run"
        assert app.main.log_panel.look.run == 1

    walk(scenario, Unread)
