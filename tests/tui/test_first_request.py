"""The view to begin with: asked for while the program still loads, drawn before all others, and with its answer."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any, ClassVar

import pytest
from textual import events

from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from overmind_core.view.registry import VIEWS
from overmind_tui.shell import first_request, requests
from overmind_tui.shell.first_request import FRESH_SECONDS, FirstRequest, ask_first
from overmind_tui.shell.messages import Connected, Disconnected
from overmind_tui.shell.requests import Requests
from tests.tui.conftest import picture, until
from tests.tui.quest_walks import RecordingBoard, card_at
from tests.tui.test_pictures_swarm import OfSwarm

HOME = Home("/proc/nosuch/overmind")
NOT_THERE = OvermindError("daemon_not_running", "Daemon not running.")
OF_THEMSELVES = [view for view in VIEWS.values() if view.fetch is not None and view.fetch.every]


class Supervisor:
    """Stands for the client of one: answers when it may."""

    asked: ClassVar[list[Any]] = []
    answer: ClassVar[Any] = "cards"
    may_answer: ClassVar[threading.Event]

    def __init__(self, _home):
        pass

    def call_each(self, command, arguments):
        self.asked.append((command, [dict(one) for one in arguments]))
        assert self.may_answer.wait(60)
        if isinstance(self.answer, OvermindError):
            raise self.answer
        return [self.answer] * len(arguments)

    def close(self):
        pass


@pytest.fixture
def supervisor(monkeypatch):
    monkeypatch.setattr(Supervisor, "asked", [])
    monkeypatch.setattr(Supervisor, "may_answer", threading.Event(), raising=False)
    monkeypatch.setattr(first_request, "Client", Supervisor)
    monkeypatch.setattr(requests, "Client", Supervisor)
    yield Supervisor
    Supervisor.may_answer.set()


class Program:
    """Sends requests, and does at once what a message tells it to."""

    def __init__(self, first):
        self.begun: list[Any] = []
        self.posted = threading.Event()
        self.messages: list[Any] = []
        self.results: list[Any] = []
        self.requests = Requests(HOME, self.begun.append, self.post, first)

    def post(self, message):
        self.messages.append(message)
        self.posted.set()

    def send(self, command="board", arguments=None):
        self.requests.send(command, [{"limit": 100} if arguments is None else arguments], self.results.append)


def answered(first):
    """Wait until the answer is there."""
    there = threading.Event()
    first.then(there.set)
    assert there.wait(60)
    return first


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("board", ("board", [{"limit": 100}])),
        ("kb", ("board", [{"limit": 100}])),
        ("queue", ("queue", [{"limit": 100}])),
        ("specs", ("specs", [{}])),
        ("events", None),
        ("board login", None),
        ("board /slow", None),
        ("nonsense", None),
        ("", None),
    ],
)
def test_it_is_asked_where_a_word_says_what_and_the_view_asks_again_by_itself(supervisor, line, asked):
    supervisor.may_answer.set()
    first = ask_first(HOME, line)
    assert (first is None) is (asked is None)
    if first is not None:
        answered(first)
    assert supervisor.asked == ([] if asked is None else [asked])


def test_an_answer_that_is_there_is_shown_at_once_and_only_once(supervisor):
    supervisor.may_answer.set()
    program = Program(answered(FirstRequest(HOME, "board", {"limit": 100})))
    program.send()
    assert (program.results, program.begun, program.messages) == ([["cards"]], [], [])
    program.send()
    assert len(program.begun) == 1, "the next time it is asked anew"


def test_an_answer_that_is_still_to_come_is_shown_when_it_is_there(supervisor):
    program = Program(FirstRequest(HOME, "board", {"limit": 100}))
    program.send()
    assert (program.results, program.begun, program.messages) == ([], [], [])
    supervisor.may_answer.set()
    assert program.posted.wait(60)
    program.messages[0].then()
    assert program.results == [["cards"]]
    assert len(supervisor.asked) == 1


def test_what_was_refused_is_asked_again(supervisor, monkeypatch):
    """There may be a supervisor by now: this program may be it."""
    monkeypatch.setattr(supervisor, "answer", NOT_THERE)
    supervisor.may_answer.set()
    program = Program(answered(FirstRequest(HOME, "board", {"limit": 100})))
    program.send()
    assert program.results == []
    monkeypatch.setattr(supervisor, "answer", "cards")
    program.begun[0]()
    program.messages[0].then()
    assert program.results == [["cards"]]


@pytest.mark.parametrize(("command", "arguments"), [("queue", {"limit": 100}), ("board", {"limit": 0}), ("board", {})])
def test_the_answer_to_something_else_is_left_alone(supervisor, command, arguments):
    supervisor.may_answer.set()
    program = Program(answered(FirstRequest(HOME, "board", {"limit": 100})))
    program.send(command, arguments)
    assert (program.results, len(program.begun)) == ([], 1)


def test_an_old_answer_is_none(supervisor, monkeypatch):
    supervisor.may_answer.set()
    program = Program(answered(FirstRequest(HOME, "board", {"limit": 100})))
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + FRESH_SECONDS + 1)
    program.send()
    assert (program.results, len(program.begun)) == ([], 1)


OF_SWARM = {"swarm", "fleets", "pools", "vault"}
"""Views that ask nothing where there is no swarm."""


@pytest.mark.parametrize(
    "view", [view.name for view in OF_THEMSELVES if not view.about and view.name not in {"spec", *OF_SWARM}]
)
def test_it_is_what_the_view_asks_when_it_opens(view):
    """Else it would be asked for in vain."""
    fetch = VIEWS[view].fetch
    assert fetch is not None

    async def session():
        app = RecordingBoard()
        app.refuses = True
        async with app.run_test(size=(120, 40)) as pilot:
            app.commands.run(view)
            await pilot.pause()
            assert app.of(fetch.request) == [fetch.arguments]

    asyncio.run(session())


class AskedOfSwarm(OfSwarm):
    """A program of a home in a swarm that keeps what it is asked."""

    def __init__(self):
        super().__init__()
        self.requests: list[Any] = []

    def request(self, command, requests, on_result):
        self.requests.append((command, list(requests)))
        super().request(command, requests, on_result)


@pytest.mark.parametrize("view", sorted(OF_SWARM))
def test_in_a_swarm_it_is_what_the_view_asks_when_it_opens(view):
    fetch = VIEWS[view].fetch
    assert fetch is not None

    async def session():
        app = AskedOfSwarm()
        async with app.run_test(size=(120, 40)) as pilot:
            app.commands.run(view)
            await pilot.pause()
            assert (fetch.request, [fetch.arguments]) in app.requests

    asyncio.run(session())


def test_no_answer_is_taken_for_longer_than_views_show_theirs():
    assert max(view.fetch.every for view in OF_THEMSELVES if view.fetch is not None) <= FRESH_SECONDS


def instead(app):
    """What stands where there are no rows."""
    lines = app.screen.table.empty
    return [line if isinstance(line, str) else "".join(cell.text for cell in line) for line in lines]


class Drawn(RecordingBoard):
    """Notes which screens are drawn, one after the other."""

    def __init__(self, **how):
        super().__init__(**how)
        self.drawn: list[Any] = []

    def _display(self, screen, renderable):
        self.drawn.append(screen)
        super()._display(screen, renderable)


def test_nothing_is_drawn_before_the_view_to_begin_with():
    async def session():
        app: Any = Drawn(view="board")
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            assert set(app.drawn) == {app.screen}
            assert app.screen.view == "board"
            await pilot.press("q")
            assert app.drawn[-1] is app.screen is app.main
            assert "STATE " in picture(app).splitlines()[2], "the list"

    asyncio.run(session())


def test_what_waits_for_the_first_frame_is_done_though_its_view_is_left_before_that():
    """The program itself begins then: it would load for ever."""

    async def session():
        app: Any = RecordingBoard()
        done: list[Any] = []
        async with app.run_test(size=(120, 40)) as pilot:
            app.commands.run("board")
            await pilot.pause()
            board = app.screen
            board._callbacks.append((lambda: done.append(app.screen), app))  # as where its frame is still due
            app.pop_screen()
            await pilot.pause()
            assert (done, app.screen is board) == ([app.main], False)

    asyncio.run(session())


class Typed(RecordingBoard):
    """Begins with a key that was typed before anything was shown; notes which screens keys are for."""

    def __init__(self, **how):
        super().__init__(**how)
        self.pressed: list[Any] = []

    def on_load(self):
        self.post_message(events.Key("j", "j"))

    def _press(self, key, character):
        self.pressed.append((key, self.screen))
        super()._press(key, character)


@pytest.mark.parametrize("view", ["board", "missions", "nonsense"])
def test_what_is_typed_before_the_first_frame_is_for_the_view_to_begin_with(view):
    async def session():
        app: Any = Typed(view=view)
        async with app.run_test(size=(120, 40)) as pilot:
            await until(pilot, lambda: app.pressed, what="the key is for somebody")
            assert app.pressed == [("j", app.screen)]
            assert (app.screen is app.main) is (view != "board")
            if view == "board":  # missions come later, from the stream
                await until(pilot, lambda: app.screen.table.at == 1, what="it has moved the cursor")

    asyncio.run(session())


def refusing(scenario):
    """The board, as long as nobody answers, and whether anybody will is not known."""

    async def session():
        app: Any = RecordingBoard(view="board")
        app.refusal, app.refuses = NOT_THERE, True
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            assert (len(app.of("board")), instead(app), app.notice.text) == (1, ["loading …"], "")
            await scenario(app, pilot)

    asyncio.run(session())


def test_what_nobody_answered_is_asked_again_as_soon_as_there_is_a_supervisor():
    async def scenario(app, pilot):
        app.refuses = False
        app.post_message(Connected({}, hosted=True))
        await pilot.pause()
        assert card_at(app)
        app.post_message(Connected({}, hosted=True))
        await pilot.pause()
        assert len(app.of("board")) == 2, "what was answered is not asked again"

    refusing(scenario)


def test_that_no_supervisor_answers_is_said_when_none_is_expected():
    async def scenario(app, pilot):
        app.post_message(Disconnected("Daemon not running", final=True))
        await pilot.pause()
        assert instead(app) == [NOT_THERE.message]
        assert app.notice.text == NOT_THERE.message

    refusing(scenario)


def test_an_answer_of_nobody_that_comes_after_the_supervisor_is_none(monkeypatch):
    late: list[Any] = []

    async def scenario(app, pilot):
        monkeypatch.setattr(app, "request", lambda command, _requests, on_result: late.append((command, on_result)))
        app.screen.source.ask_again()
        app.post_message(Connected({}, hosted=True))
        await pilot.pause()
        assert [command for command, _ in late] == ["board"]
        late[0][1]([NOT_THERE])
        assert [command for command, _ in late] == ["board", "board"], "it was asked before there was one"
        late[1][1]([NOT_THERE])
        assert len(late) == 2, "not for ever"
        assert instead(app) == [NOT_THERE.message]

    refusing(scenario)
