"""A full-screen program with a server, heard and answered there; here the server is scripted, and may be cut off."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from overmind_core.agents import server_driver
from overmind_core.agents.program_server import AnswerTooLongError, NoAnswerError, PortTakenError
from overmind_core.domain.agents import conversation_events
from overmind_core.domain.agents.agent import AgentMode, AgentNeed
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until, world

OURS = "ses_ours"


class Program:
    """The server of the one program, as its supervisor sees it over any number of connections.

    Attributes:
        told: What was sent to it and has an effect, oldest first: its path and body.
        opens: Whether it takes connections.
        taken: Whether another program listens at its port.
        loses: Paths, by their ends, of which the next request never arrives.
        status: What it answers to requests with such an end.
        busy: Whether it works.
        fits: Messages that a list may have before it is longer than anybody reads.
    """

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []
        self.opens = True
        self.taken = False
        self.loses: list[str] = []
        self.status: dict[str, int] = {}
        self.busy = False
        self.fits = 40
        self.order: list[str] = []
        self.draw: Callable[[str], None] = lambda _text: None
        self._lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._asked: list[Any] = []
        self._number = 0

    def __call__(self, port: int, user: str, password: str) -> Program:
        assert all((port, user, password))
        return self

    async def check_owner(self, pid: int) -> None:
        assert pid
        self.order.append("checks")
        if self.taken:
            raise PortTakenError("another program listens there")

    @asynccontextmanager
    async def listen(self, request: Any, patience: float) -> AsyncIterator[AsyncIterator[bytes]]:
        del request, patience
        if not self.opens:
            raise NoAnswerError("nobody listens there")
        self.order.append("connects")
        self._lines = asyncio.Queue()
        yield self._come(self._lines)

    async def _come(self, lines: asyncio.Queue[bytes | None]) -> AsyncIterator[bytes]:
        while (line := await lines.get()) is not None:
            yield line

    async def ask(self, request: Any) -> tuple[int, Any]:
        end, _, limit = request.path.rpartition("/")[2].partition("?limit=")
        if limit and int(limit) > self.fits:
            raise AnswerTooLongError("its answer is too long")
        if end in self.loses:
            self.loses.remove(end)
            raise NoAnswerError("it is gone")
        if request.body is not None:
            self.told.append((end, request.body))
        if end in self.status:
            return self.status[end], None
        replies = {
            "session": {"id": OURS},
            "status": {OURS: {"type": "busy"}} if self.busy else {},
            "permission": self._asked,
            "question": [],
        }
        return 200, replies.get(end, [])

    def cut(self) -> None:
        """End the connection."""
        self._lines.put_nowait(None)

    def event(self, kind: str, **properties: Any) -> None:
        told = {"id": "evt_1", "type": kind, "properties": {"sessionID": OURS, **properties}}
        self._lines.put_nowait(b"data: " + json.dumps(told).encode())

    def begin(self, text: str, **metadata: str) -> None:
        """Have a message there, and work on it."""
        self._number += 1
        name, self.busy = f"msg_{self._number:03}", True
        info = {"id": name, "sessionID": OURS, "role": "user", "time": {"created": 2e12}}
        part = {"type": "text", "text": text, "messageID": name, "sessionID": OURS, "metadata": metadata}
        self.event("message.updated", info=info)
        self.event("message.part.updated", part=part)
        self.event("session.status", status={"type": "busy"})

    def rest(self) -> None:
        """End the turn."""
        self.busy = False
        self.event("session.status", status={"type": "idle"})

    def ask_permission(self, name: str = "per_1") -> None:
        asked = {"id": name, "sessionID": OURS, "permission": "bash", "patterns": ["x"], "metadata": {"command": "x"}}
        self._asked.append(asked)
        self.event("permission.asked", **asked)

    def posted(self) -> list[str]:
        """The texts of the messages that it was sent."""
        return [body["parts"][-1]["text"] for end, body in self.told if end == "prompt_async"]


@pytest.fixture
def program(monkeypatch):
    made = Program()
    monkeypatch.setattr(server_driver, "ProgramServer", made)
    return made


@pytest.fixture
def play(tmp_path, program):
    """Play a story with such a session; `prompt` is its first message, and `screen` what it has drawn."""

    def played(story, prompt="", *, settles=True, screen=b"/ commands"):
        async def whole():
            home = Home(str(tmp_path / "home"))
            keeper = ScriptedKeeper(home)
            async with supervising(home, keeper) as inside:
                environment = world(str(tmp_path / "bin"), "opencode")
                mission = await inside.run(
                    prompt, env=environment, provider="opencode", type="session", interactive=True
                )
                keeper.write(f"{mission}.1", b"\x1b[2J\x1b[H " + screen)
                program.draw = lambda text: keeper.write(f"{mission}.1", text.encode())
                session = inside.app.agents.of(mission)
                assert session is not None
                if settles:
                    await until(lambda: not session.state.opening)
                    await in_process.idle()
                found = await story(inside, mission, session)
            keeper.close()
            return found

        return in_process.run(whole())

    return played


def test_a_screen_that_is_not_known_is_shown_the_conversation_at_last(play, program):
    async def story(inside, mission, session):
        return [end for end, _ in program.told]

    assert play(story, screen=b"something else") == ["session", "select-session"]


async def states(inside, mission):
    return [(one["text"], one["state"], one["error"]) for one in await inside.ask("messages", id=mission)]


def test_nobody_is_told_the_password_before_it_is_seen_who_listens(play, program):
    async def story(*_):
        return program.order

    assert play(story) == ["checks", "connects"]


def test_a_port_that_another_program_has_taken_ends_the_run_at_once_and_its_log_says_why(play, program):
    program.taken = True

    async def story(inside, mission, session):
        await until(lambda: session.mission is None or session.mission.ending is not None)
        return asyncio.get_running_loop().time()

    assert play(story, settles=False) < 10
    assert "connects" not in program.order


def test_a_message_that_waits_behind_a_persons_turn_is_sent_once_that_ends(play, program):
    """The turn was found as the connection came, and the message had not been sent."""
    program.opens = False

    async def story(inside, mission, session):
        program.busy = program.opens = True
        await until(lambda: session.state.turn is not None)
        before = program.posted()
        program.rest()
        await until(program.posted)
        await in_process.idle()
        return before, program.posted()

    assert play(story, "hello", settles=False) == ([], ["hello"])


def test_messages_with_pictures_of_which_no_list_is_read_whole_keep_nobody_deaf(play, program):
    program.fits = 2

    async def story(*_):
        await until(program.posted)
        return program.posted()

    assert play(story, "hello") == ["hello"]


@pytest.mark.parametrize("status", [400, 500])
def test_a_question_of_which_the_answer_is_refused_is_left_to_a_person(play, program, status):
    async def story(inside, mission, session):
        program.begin("typed")
        program.status["reply"] = status
        program.ask_permission()
        question = await inside.question()
        await inside.ask("answer", question=question["question"], behaviour="allow")
        again = await inside.question(question["question"])
        return again["need"]

    assert play(story) == "setup"


@pytest.mark.parametrize("status", [400, 500])
def test_a_message_that_is_refused_has_failed(play, program, status):
    program.status["prompt_async"] = status

    async def story(inside, mission, session):
        await until(lambda: session.state.failed)
        return await states(inside, mission)

    assert play(story, "hello") == [("hello", "failed", "the program did not accept it")]


def test_an_interrupt_before_it_was_sent_keeps_a_message_back(play, program):
    program.opens = False

    async def story(inside, mission, session):
        await inside.ask("interrupt", id=mission)
        program.opens = True
        await until(lambda: session.state.sending is None)
        await in_process.idle()
        return program.posted(), await states(inside, mission)

    assert play(story, "hello", settles=False) == ([], [("hello", "failed", "interrupted")])


@pytest.mark.parametrize("way", ["lost", "cut"])
def test_an_interrupt_that_did_not_arrive_is_said_again_to_that_turn_alone(play, program, way):
    async def story(inside, mission, session):
        program.begin("typed")
        await until(lambda: session.state.turn is not None)
        if way == "lost":
            program.loses.append("abort")
        else:
            program.opens = False
            program.cut()
            await in_process.idle()
        await inside.ask("interrupt", id=mission)
        program.opens = True
        await until(lambda: ("abort", {}) in program.told)
        program.rest()
        await until(lambda: session.state.turn is None)
        program.begin("another")
        await until(lambda: session.state.turn is not None)
        program.cut()
        await asyncio.sleep(5)
        return program.told.count(("abort", {}))

    assert play(story) == 1


def test_a_draft_keeps_the_program_from_its_end_until_it_is_gone(play, program):
    box = "\x1b[2J\x1b[H┃ {}\r\n┃ Build\r\n╹▀▀▀\r\n / commands"

    async def story(inside, mission, session):
        program.draw(box.format("half a thought"))
        session.apply(conversation_events.ModeWanted(AgentMode.HEADLESS, keep=False))
        await until(lambda: session.state.open)
        await asyncio.sleep(5)
        needs, ending = [one.need for one in session.state.open], session.mission.ending
        program.draw(box.format(""))
        await until(lambda: session.mission.ending is not None)
        return needs, ending

    assert play(story) == ([AgentNeed.DRAFT], None)
