"""Which program calls its person, and what the terminal outside says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.terminal.program_status import ProgramState, read_record
from overmind_core.view import inbox, ringing
from overmind_core.view.fleet import Fleet
from overmind_tui.shell.notices import Title
from overmind_tui.shell.user_state import SeenTracker
from tests.core.view.test_subject import row
from tests.tui.test_pictures import AGENTS, settle
from tests.tui.test_traps import Asked, run

TITLES = [(0, 0, False, "overmind"), (2, 5, False, "overmind !2 ❯5"), (0, 1, True, "overmind _1")]


@pytest.mark.parametrize(("blocked", "turns", "ascii_only", "title"), TITLES)
def test_the_title_says(blocked, turns, ascii_only, title):
    assert ringing.title(blocked, turns, ascii_only=ascii_only) == title


def test_a_title_is_only_told_when_it_changes():
    on_result: list[str] = []
    title = Title(on_result.append, ascii_only=False, reports=lambda: False)
    fleet = Fleet()
    for _ in range(3):
        title.update(fleet, 0.0)
    title.give_back()
    title.give_back()
    assert on_result == ["\x1b[22;2t\x1b]2;overmind\x07", "\x1b]2;\x07\x1b[23;2t"]


def test_the_title_follows_what_has_come():
    on_result: list[str] = []
    title, fleet = Title(on_result.append, ascii_only=True, reports=lambda: False), Fleet()
    title.update(fleet, 0.0)
    fleet.apply([row("a1b2c3d4", "waiting") | {"parent": None}], (), everything=True)
    title.update(fleet, 0.0)
    assert on_result[-1] == "\x1b]2;overmind !1\x07"


def test_the_terminal_is_told_once_what_all_missions_do():
    told: list[str] = []
    wanted = [True]
    title, fleet = Title(told.append, ascii_only=True, reports=lambda: wanted[0]), Fleet()
    found: list[tuple[ProgramState, str]] = []
    states: tuple[list[str], ...] = (
        [],
        ["working"],
        ["working", "idle"],
        ["idle"],
        ["idle", "waiting"],
        ["working", "waiting", "waiting"],
    )
    for activities in states:
        rows = [row(f"a1b2c3d{place}", one) | {"parent": None} for place, one in enumerate(activities)]
        fleet.apply(rows, (), everything=True)
        for _ in range(2):
            title.update(fleet, 0.0)
    title.give_back()
    for one in told:
        record = read_record(one.removeprefix("\x1b]7501;").removesuffix("\x07"))
        if record is not None:
            assert (record.app, record.id, record.is_of_program) == ("overmind", "overmind", True)
            found.append((record.state, record.message))
    assert found == [
        (ProgramState.IDLE, ""), (ProgramState.WORKING, ""), (ProgramState.IDLE, ""),
        (ProgramState.BLOCKED, "1 needs you"), (ProgramState.BLOCKED, "2 need you"), (ProgramState.CLEAR, ""),
    ]  # fmt: skip
    wanted[0] = False
    del told[:]
    fleet.apply([], (), everything=True)
    title.update(fleet, 0.0)
    assert not any("7501" in one for one in told)


class Looking:
    """A person who looks at a mission of the list, and what the supervisor is told of that."""

    def __init__(self, **more):
        self.fleet, self.told = Fleet(), []
        self.main: Any = SimpleNamespace(in_view="a", rests_on="a", unread=set(), rearrange=lambda: None)
        self.read_only = False
        self.comes(**more)
        self.tracker = SeenTracker(self)  # type: ignore[arg-type] # all that it asks of one

    def request(self, command, rows, _then):
        self.told += [(command, one["id"]) for one in rows]

    def comes(self, **more):
        self.fleet.apply([row("a", **more) | {"parent": None}], (), everything=False)

    def look(self, times=3):
        for _ in range(times):
            self.tracker.look()
        return [need.key[0] for need in inbox.needs(self.fleet.rows.values(), [], 0.0)], self.told


TURNS = [{"activity": "idle", "unseen": True}, {"activity": "idle", "unseen": True, "conversation_lost": True}]


@pytest.mark.parametrize("turn", TURNS, ids=["answered", "in a new conversation"])
def test_a_turn_that_ends_under_the_cursor_needs_its_person_until_the_cursor_leaves(turn):
    person = Looking(activity="working")
    person.look()
    person.comes(**turn)
    person.main.unread.add("a")
    assert person.look() == (["a"], [])
    person.main.in_view = None
    assert person.look() == (["a"], []), "another window has the focus, or the log was scrolled"
    person.main.in_view = person.main.rests_on = "b"
    person.look(1)
    assert person.told == [("seen", "a")]
    assert not person.fleet.rows["a"]["unseen"]
    assert person.main.unread == set()


def test_a_turn_that_was_not_in_view_for_a_second_is_unseen_when_the_cursor_leaves():
    person = Looking(activity="idle", unseen=True)
    person.look(1)
    person.main.in_view = person.main.rests_on = "b"
    assert person.look() == (["a"], [])


def test_a_turn_that_was_answered_is_seen():
    person = Looking(activity="idle", unseen=True)
    person.look()
    person.comes(activity="working", unseen=True)
    assert person.look() == ([], [("seen", "a")])
    person.comes(activity="idle", unseen=True)
    assert person.look() == (["a"], [("seen", "a")]), "the next one waits again"


@pytest.mark.parametrize("how", [{"activity": "working"}, {"status": "crashed"}])
def test_other_news_under_the_cursor_is_seen_after_a_second(how):
    person = Looking(unseen=True, **how)
    assert person.look(1) == ([], [])
    assert person.look(1) == ([], [("seen", "a")])


def test_a_turn_that_ends_in_an_open_terminal_is_seen_there():
    person = Looking(activity="idle", unseen=True)
    person.main.rests_on = None
    assert person.look() == ([], [("seen", "a")])


def test_a_turn_that_the_cursor_can_leave_for_no_other_row_is_seen_once_a_key_would_leave_it():
    person = Looking(activity="idle", unseen=True)
    person.tracker.left("a")
    assert person.look() == (["a"], []), "it was not in view for a second before that"
    person.tracker.left("b")
    assert person.look() == (["a"], [])
    person.tracker.left("a")
    assert person.look() == ([], [("seen", "a")])
    person.comes(activity="idle", unseen=True)
    assert person.look() == (["a"], [("seen", "a")]), "the next turn waits again"


@pytest.mark.parametrize("key", ["j", "k", "G", "l"])
def test_the_only_mission_is_seen_once_a_key_would_leave_it_or_its_log_has_the_keys(key):
    async def scenario(app, pilot):
        for _ in range(3):
            app.seen_tracker.look()
        await pilot.press("question_mark", "escape")
        app.seen_tracker.look()
        assert app.fleet.asking == {"00000001"}, "its person is needed while it is only looked at"
        await pilot.press(key)
        await settle(pilot)
        app.seen_tracker.look()
        assert not app.fleet.asking

    run(lambda: Asked([{**AGENTS[0], "activity": "idle", "unseen": True}]), scenario)
